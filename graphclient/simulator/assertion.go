package simulator

import (
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint by definition; it names a key and proves nothing
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// credential is a certificate of an application.
type credential struct {
	Key string `json:"key"` // base64 of the DER certificate
}

// byCredentials signs an application in: by a JWT that its certificate signed,
// or by a secret.
func (i *issuer) byCredentials(host string, form url.Values) (any, *oauthError) {
	q, ferr := parseScopes(form.Get("scope"))
	if ferr != nil {
		return nil, ferr
	}
	client := form.Get("client_id")
	if !q.byApp {
		return nil, aad("invalid_scope", 1002012, "The provided value for scope "+form.Get("scope")+" is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).")
	}
	t := i.s.t
	t.mu.RLock()
	sp, app := t.known(t.spByClient(client)), t.known(t.appByClient(client))
	n := t.set.RefuseSignIn
	t.mu.RUnlock()
	switch {
	case n != 0:
		return nil, refusal(n)
	case sp == nil:
		return nil, refusal(700016)
	case !sp.flag("accountEnabled"):
		return nil, aad("unauthorized_client", 7000112, "Application '"+client+"' is disabled.")
	}
	switch {
	case form.Get("client_assertion") != "":
		if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return nil, aad("invalid_request", 7000218, "The request body must contain the parameter 'client_assertion_type'.")
		}
		if err := checkAssertion(form.Get("client_assertion"), client, host, t.org.id(), i.s.clock.Now(), sp, app); err != nil {
			return nil, err
		}
	case form.Get("client_secret") != "":
		if !secretKnown(form.Get("client_secret"), sp, app) {
			return nil, refusal(7000215)
		}
	default:
		return nil, refusal(7000218)
	}
	t.mu.RLock()
	roles := t.rolesOf(sp)
	t.mu.RUnlock()
	if roles == nil {
		roles = []string{}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	token, err := i.appToken(client, sp, roles, i.session(client, sp.id(), nil, form.Get("claims")))
	if err != nil {
		return nil, serverError(err)
	}
	life := int(i.tokenLife() / time.Second)
	return map[string]any{"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}, nil
}

// checkAssertion verifies a client assertion: its issuer and audience, its times, and
// that a registered certificate signed it. The assertion's times are the machine's,
// because its maker knows no other clock. A certificate ends by the tenant's clock,
// which is at, so that a test can reach its end.
func checkAssertion(assertion, client, host, tenant string, at time.Time, holders ...*object) *oauthError {
	head, claims, err := readJWT(assertion)
	if err != nil {
		return aad("invalid_client", 50027, "JWT token is invalid or malformed.")
	}
	iss, _ := claims["iss"].(string)
	sub, _ := claims["sub"].(string)
	if !strings.EqualFold(iss, client) || !strings.EqualFold(sub, client) {
		return aad("invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	}
	aud, _ := claims["aud"].(string)
	good := false
	for _, realm := range []string{tenant, "common", "organizations"} {
		good = good || strings.EqualFold(aud, host+"/"+realm+"/oauth2/v2.0/token") || strings.EqualFold(aud, host+"/"+realm+"/v2.0")
	}
	if !good {
		return aad("invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")
	}
	now := float64(time.Now().Unix())
	const skew = 5 * 60
	exp, hasExp := claims["exp"].(float64)
	nbf, hasNbf := claims["nbf"].(float64)
	if !hasExp || now > exp+skew || hasNbf && now < nbf-skew {
		return refusal(700024)
	}
	x5t, x5t256 := thumbprint(head["x5t"]), thumbprint(head["x5t#S256"])
	for _, cert := range certificates(holders...) {
		one, two := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) //nolint:gosec // as above
		if (x5t != "" && x5t != b64(one[:])) || (x5t256 != "" && x5t256 != b64(two[:])) {
			continue
		}
		pub, isRSA := cert.PublicKey.(*rsa.PublicKey)
		if !isRSA || !signedBy(assertion, pub, "RS256", "PS256") {
			continue
		}
		switch {
		case at.After(cert.NotAfter):
			return &oauthError{
				status: http.StatusUnauthorized, code: "invalid_client", aadsts: 700027,
				text: fmt.Sprintf("The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired., Thumbprint of key used by client: '%X', Found key 'Start=%s, End=%s'].",
					one, cert.NotBefore.UTC().Format("01/02/2006 15:04:05"), cert.NotAfter.UTC().Format("01/02/2006 15:04:05")),
			}
		case at.Before(cert.NotBefore):
			return refusal(1000502)
		}
		return nil
	}
	return refusal(700027)
}

// thumbprint takes either alphabet of base64: clients are of two minds.
func thumbprint(v any) string {
	s, _ := v.(string)
	return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(s)
}

// certificates are those registered on the application or its principal.
func certificates(holders ...*object) []*x509.Certificate {
	var out []*x509.Certificate
	for _, o := range holders {
		if o == nil {
			continue
		}
		var list []credential
		if json.Unmarshal([]byte(o.raw("keyCredentials")), &list) != nil {
			continue
		}
		for _, k := range list {
			der, err := base64.StdEncoding.DecodeString(k.Key)
			if err != nil {
				continue
			}
			if cert, err := x509.ParseCertificate(der); err == nil {
				out = append(out, cert)
			}
		}
	}
	return out
}

func secretKnown(secret string, holders ...*object) bool {
	for _, o := range holders {
		if o == nil {
			continue
		}
		var list []struct {
			SecretText string `json:"secretText"`
		}
		if json.Unmarshal([]byte(o.raw("passwordCredentials")), &list) != nil {
			continue
		}
		for _, p := range list {
			if p.SecretText != "" && p.SecretText == secret {
				return true
			}
		}
	}
	return false
}
