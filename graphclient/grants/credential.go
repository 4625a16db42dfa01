package grants

import (
	"context"
	"crypto/sha1" //nolint:gosec // Entra ID names certificates by their SHA-1 thumbprint; it proves nothing
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/applications"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/sync/problem"
)

// credential is a certificate on its way into an application. A PATCH of
// keyCredentials replaces all of them: it is read, appended to, written.
type credential struct {
	cert  *x509.Certificate
	keyID string
	found string            // the keyId that the tenant has it under
	there []json.RawMessage // all certificates as last read
}

// registered is what is read of a keyCredential. key comes only where
// keyCredentials alone of one application is asked for.
type registered struct {
	KeyID string `json:"keyId"`
	Name  string `json:"customKeyIdentifier"`
	Key   string `json:"key"`
}

// is reports whether what is registered is the certificate.
func (c *credential) is(r registered) bool {
	sum := sha1.Sum(c.cert.Raw) //nolint:gosec // as above
	return r.Key == base64.StdEncoding.EncodeToString(c.cert.Raw) ||
		strings.EqualFold(r.Name, hex.EncodeToString(sum[:])) ||
		r.Name == base64.StdEncoding.EncodeToString(sum[:])
}

// application begins the requests on the application that is given to.
func (w *giving) application() *applications.ApplicationItemRequestBuilder {
	return applications.NewApplicationsRequestBuilderInternal(w.g.sdk()).ByApplicationId(w.app.Object)
}

func (c *credential) look(w *giving) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		var a struct {
			Keys []json.RawMessage `json:"keyCredentials"`
		}
		info, err := w.application().ToGetRequestInformation(ctx, &applications.ApplicationItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &applications.ApplicationItemRequestBuilderGetQueryParameters{Select: []string{"keyCredentials"}},
		})
		r, err := w.g.bytes(&a, info, err)
		if err == nil {
			err = w.g.do(ctx, r)
		}
		if no := refusalOf(err); no != nil && no.Status == http.StatusNotFound {
			c.there = nil
			return false, nil // made a moment ago
		}
		if err != nil {
			return false, err
		}
		c.there = a.Keys
		for _, raw := range a.Keys {
			var r registered
			if json.Unmarshal(raw, &r) == nil && c.is(r) {
				c.found = r.KeyID
				return true, nil
			}
		}
		return false, nil
	}
}

func (c *credential) give(w *giving) func(context.Context) error {
	return func(ctx context.Context) error {
		// What is there is read just before: another machine may have added its own.
		if seen, err := c.look(w)(ctx); err != nil || seen {
			return err
		}
		id := c.keyID
		if id == "" {
			id = keyID(c.cert.Raw)
		}
		own, err := json.Marshal(map[string]string{
			"type": "AsymmetricX509Cert", "usage": "Verify", "keyId": id,
			"key": base64.StdEncoding.EncodeToString(c.cert.Raw), "displayName": "CN=" + c.cert.Subject.CommonName,
		})
		if err != nil {
			return problem.Wrap(err, problem.Internal, problem.Args{"what": "body of a certificate"})
		}
		// The others are written back as they were read.
		body, err := json.Marshal(map[string]any{"keyCredentials": append(slices.Clone(c.there), own)})
		if err != nil {
			return problem.Wrap(err, problem.Internal, problem.Args{"what": "body of a certificate"})
		}
		info, err := w.application().ToGetRequestInformation(ctx, nil)
		at, err := adapter.Address(info, err)
		if err != nil {
			return problem.Wrap(err, problem.Internal, problem.Args{"what": "address of an application"})
		}
		return w.g.do(ctx, request{method: http.MethodPatch, url: at, body: body})
	}
}
