package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/hacsync/hacsync/sync/problem"
)

// Trouble turns an error of http.Client.Do, or of reading a body, into a problem
// of family 4. host is who was called. The end of the
// caller's context (not of the context of one request) is not a network problem, so
// the caller checks its own context first.
func Trouble(err error, host string) *problem.Problem {
	if p := problem.Of(err); p != nil {
		return p
	}
	args := problem.Args{"host": host}

	var unknownCA x509.UnknownAuthorityError
	if errors.As(err, &unknownCA) {
		issuer := ""
		if unknownCA.Cert != nil {
			issuer = unknownCA.Cert.Issuer.String()
		}
		if proxy := proxyFor(host); proxy != "" {
			return problem.Wrap(err, problem.ProxyCA, problem.Args{"host": host, "proxy": proxy, "issuer": issuer})
		}
		return problem.Wrap(err, problem.TLSUnknownCA, problem.Args{"host": host, "issuer": issuer})
	}
	var refused *proxyRefusal
	if errors.As(err, &refused) {
		if refused.status == http.StatusProxyAuthRequired {
			return problem.Wrap(err, problem.ProxyAuth, problem.Args{"host": host, "proxy": refused.proxy})
		}
		return problem.Wrap(err, problem.ProxyFailed, problem.Args{"host": host, "detail": refused.Error()})
	}
	var (
		invalid  x509.CertificateInvalidError
		wrong    x509.HostnameError
		verify   *tls.CertificateVerificationError
		header   tls.RecordHeaderError
		alert    tls.AlertError
		noRoots  x509.SystemRootsError
		dns      *net.DNSError
		op       *net.OpError
		urlError *url.Error
	)
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return problem.Wrap(err, problem.ProxyFailed, problem.Args{"host": host, "detail": last(err)})
	case errors.As(err, &invalid), errors.As(err, &wrong), errors.As(err, &verify),
		errors.As(err, &header), errors.As(err, &alert), errors.As(err, &noRoots), errors.Is(err, http.ErrSchemeMismatch):
		return problem.Wrap(err, problem.TLSFailed, problem.Args{"host": host, "detail": last(err)})
	case errors.As(err, &dns):
		if dns.IsTimeout {
			return problem.Wrap(err, problem.NoAnswerInTime, args)
		}
		return problem.Wrap(err, problem.NameNotFound, args)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &urlError) && urlError.Timeout():
		return problem.Wrap(err, problem.NoAnswerInTime, args)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH),
		errors.As(err, &op) && op.Op == "dial":
		return problem.Wrap(err, problem.NoConnection, args)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return problem.Wrap(err, problem.ConnectionCut, args)
	}
	return problem.Wrap(err, problem.ConnectionCut, args)
}

// NeverSent reports whether err proves that not one byte of the request left
// this machine: its host was not found or not reached, or no secure connection
// came about.
func NeverSent(err error) bool {
	var (
		op       *net.OpError
		dns      *net.DNSError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		header   tls.RecordHeaderError
		wrong    x509.HostnameError
		refused  *proxyRefusal
		handless = errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &header) || errors.As(err, &wrong)
	)
	if handless || errors.As(err, &refused) || errors.As(err, &dns) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// proxyRefusal is a proxy's answer to CONNECT that is not 200: net/http would keep
// its status text alone, which a proxy words as it likes.
type proxyRefusal struct {
	proxy  string // host and port, never the user name and password
	status int
}

func (p *proxyRefusal) Error() string {
	return fmt.Sprintf("%s answered %d %s", p.proxy, p.status, http.StatusText(p.status))
}

// proxyFor is the proxy that the environment names for a host, without user name
// and password; empty if there is none.
func proxyFor(host string) string {
	u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: host}})
	if err != nil || u == nil {
		return ""
	}
	return u.Host
}

// last is the text of the innermost error, without the URL that net/http puts
// in front.
func last(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
