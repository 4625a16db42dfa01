// Package transport is the plain road to Microsoft's hosts: an explicit
// net/http transport with TLS roots of our own where a simulated tenant needs
// them, the proxy of the environment, and nothing else in between. Nothing here
// retries, redirects, compresses or logs; who calls it decides.
//
// It also turns what can go wrong on the road (no network, DNS, TLS, proxy) into
// problems of family 4, so that sign-in and Graph say the same thing.
package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

// Client makes an HTTP client. caPEM is a certificate that is trusted beside
// nothing else: with it the system's roots do not count, because it stands for
// one simulated tenant on this machine, and the proxy is not used. Empty means
// the system's roots and the proxy that the environment names.
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

// NoRedirects is a CheckRedirect that hands the redirect itself back to the
// caller, so that a token is never carried to where a server points.
func NoRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Strict returns client, or a copy of it, that follows no redirect.
func Strict(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = NoRedirects
	return &c
}
