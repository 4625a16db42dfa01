// Package transport makes the HTTP client for Microsoft's hosts: an explicit net/http
// transport with its own TLS roots for a simulated tenant, the proxy of the
// environment, and nothing else. Nothing here retries, redirects, compresses or logs;
// the caller decides.
//
// It also turns network errors (no network, DNS, TLS, proxy) into problems of family
// 4, so that sign-in and Graph report them alike.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
)

// Client makes an HTTP client. caPEM is the only certificate that is trusted: it
// belongs to one simulated tenant on this machine, so neither the system's roots nor
// the proxy are used with it. Empty means
// the system's roots with those of SSL_CERT_FILE, and the proxy that the
// environment names (HTTPS_PROXY, NO_PROXY). An SSL_CERT_FILE that is no list of
// certificates is a problem: a proxy that needs it would be refused without a
// hint.
//
// There is no overall timeout: it would cover waits between attempts as well.
// Each request is bounded by its context.
func Client(caPEM string) (*http.Client, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          32,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       60 * time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		// A connection that died silently, as behind a VPN, is found by a ping;
		// without it, it would be used for as long as TCP hopes.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 10 * time.Second},
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode == http.StatusOK {
				return nil
			}
			return &proxyRefusal{proxy: proxy.Host, status: res.StatusCode}
		},
	}
	if file := os.Getenv(trustVariable); caPEM == "" && file != "" {
		pool, err := trusted(file)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if caPEM != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(caPEM)) {
			return nil, errors.New("the connection's CA holds no certificate in PEM form")
		}
		t.TLSClientConfig.RootCAs = pool
		t.Proxy = nil
	}
	return &http.Client{Transport: t, CheckRedirect: NoRedirects}, nil
}

// trustVariable names a file of certificates to trust. Go itself heeds it on Unix
// only, and passes over a file that it cannot read.
const trustVariable = "SSL_CERT_FILE"

// maxTrust is more than any bundle of authorities; a system's own has 250 KB.
const maxTrust = 16 << 20

// trusted are the system's authorities and those of a file.
func trusted(file string) (*x509.CertPool, error) {
	pem, err := readAll(file)
	if err != nil {
		var p *os.PathError
		why := err.Error()
		if errors.As(err, &p) {
			why = p.Err.Error() // the message names the path already
		}
		return nil, problem.Wrap(err, problem.TrustFileWrong, problem.Args{"file": file, "why": why})
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	if !pool.AppendCertsFromPEM(input.PEM(pem)) {
		return nil, problem.New(problem.TrustFileWrong, problem.Args{"file": file, "why": "no certificate in PEM form"})
	}
	return pool, nil
}

func readAll(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxTrust))
}

// NoRedirects is a CheckRedirect that returns the redirect itself to the caller, so
// that a token is never sent where a server points.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Strict returns client, or a copy of it, that follows no redirect.
func Strict(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = NoRedirects
	return &c
}
