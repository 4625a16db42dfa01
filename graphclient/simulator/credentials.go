package simulator

import (
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra ID shows certificates by their SHA-1 thumbprint; it proves nothing
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// proofAudience is who a proof of possession is made out to.
const proofAudience = "00000002-0000-0000-c000-000000000000"

// keys are the certificates of an application as they are stored: with their
// content.
func keys(o *object) []map[string]any {
	var list []map[string]any
	if json.Unmarshal([]byte(o.raw("keyCredentials")), &list) != nil {
		return nil
	}
	return list
}

// keepKeys checks the certificates that an application is to have, and completes
// what Graph completes: keyId, thumbprint, name and dates, from the certificate.
// An entry without its content means the one that has its keyId already.
func (t *tenant) keepKeys(o *object, props map[string]string, now time.Time) *graphError {
	raw, has := props["keyCredentials"]
	if !has || raw == null {
		return nil
	}
	var list []map[string]any
	if json.Unmarshal([]byte(raw), &list) != nil {
		return invalidValue("Application", "keyCredentials")
	}
	ids := map[string]bool{}
	for i, k := range list {
		if k["key"] == nil {
			id, _ := k["keyId"].(string)
			old := oneKey(o, id)
			if old == nil {
				return badKey("Key credential must have type, usage and key.")
			}
			k["key"] = old["key"]
		}
		if err := t.completeKey(k, now, oneKey(o, asText(k["keyId"])) == nil); err != nil {
			return err
		}
		id := strings.ToLower(asText(k["keyId"]))
		if ids[id] {
			return badKey("The keyId " + id + " stands there twice.")
		}
		ids[id] = true
		list[i] = k
	}
	b, _ := json.Marshal(list) // it was JSON a moment ago
	props["keyCredentials"] = string(b)
	return nil
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

func badKey(message string) *graphError {
	return badRequest(message, detail{"InvalidValue", message, "keyCredentials"})
}

// oneKey is the certificate of an application with a keyId, nil without.
func oneKey(o *object, id string) map[string]any {
	if o == nil || id == "" {
		return nil
	}
	for _, k := range keys(o) {
		if strings.EqualFold(asText(k["keyId"]), id) {
			return k
		}
	}
	return nil
}

// completeKey checks one certificate. added says that it was not there before,
// so that the tenant's policy for applications counts.
func (t *tenant) completeKey(k map[string]any, now time.Time, added bool) *graphError {
	if k["type"] != "AsymmetricX509Cert" || k["usage"] != "Verify" {
		return badKey("Key credential must have type, usage and key.")
	}
	if id := k["keyId"]; id != nil && !isGUID(asText(id)) {
		return badKey("The keyId is not a GUID.")
	}
	der, err := base64.StdEncoding.DecodeString(asText(k["key"]))
	if err != nil {
		return badKey("Key credential must have type, usage and key.")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return badKey("Key credential must have type, usage and key.")
	}
	for _, name := range []string{"startDateTime", "endDateTime"} {
		at, err := time.Parse(time.RFC3339, asText(k[name]))
		if k[name] != nil && (err != nil || at.Before(cert.NotBefore.Truncate(time.Second)) || at.After(cert.NotAfter.Add(time.Second))) {
			return badRequest("Key credential end date is invalid.", detail{"KeyCredentialsInvalidEndDate", "Key credential end date is invalid.", "keyCredentials"})
		}
	}
	if added {
		if err := t.keyPolicy(cert, now); err != nil {
			return err
		}
	}
	sum := sha1.Sum(cert.Raw) //nolint:gosec // as above
	for name, v := range map[string]any{
		"keyId": newGUID(), "displayName": cert.Subject.String(),
		"startDateTime": cert.NotBefore.UTC().Format(time.RFC3339), "endDateTime": cert.NotAfter.UTC().Format(time.RFC3339),
		"customKeyIdentifier": strings.ToUpper(hexOf(sum[:])),
	} {
		if k[name] == nil {
			k[name] = v
		}
	}
	return nil
}

// keyPolicy is the tenant's application management policy, if it has one.
func (t *tenant) keyPolicy(cert *x509.Certificate, now time.Time) *graphError {
	const policy = "assigned policy 'd2b1f6f0-37a4-4b0e-8a54-0c5b7e7f2a11'."
	if t.set.NoCertificates {
		return fail(400, "CredentialTypeNotAllowedAsPerAppPolicy", "Credential type not allowed as per "+policy,
			detail{"CredentialTypeNotAllowed", "Credential type not allowed as per " + policy, "keyCredentials"})
	}
	if d := t.set.CertificateDays; d > 0 && cert.NotAfter.After(now.Add(time.Duration(d)*24*time.Hour+time.Hour)) {
		return fail(400, "CredentialInvalidLifetimeAsPerAppPolicy", "Credential lifetime exceeds the max value allowed as per "+policy,
			detail{"InvalidKeyEndDate", "Credential lifetime exceeds the max value allowed as per " + policy, "EndDate"})
	}
	return nil
}

// shown is an application as it is read: the content of its certificates is included
// only if it is asked for, of one application.
func (t *tenant) shown(c *call, o *object, alone bool) *object {
	list := keys(o)
	if len(list) == 0 {
		return o
	}
	if alone {
		for _, s := range c.query.selected {
			if strings.EqualFold(s, "keyCredentials") {
				return o
			}
		}
	}
	for _, k := range list {
		k["key"] = nil
	}
	b, _ := json.Marshal(list) // it was JSON a moment ago
	return o.with(map[string]string{"keyCredentials": string(b)})
}

// addKey and removeKey roll the certificates of an application, on proof that a
// key of one of them is held. An application needs no permission for its own.
func (s *Server) addKey(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	o, err := t.rolling(c, body)
	if err != nil {
		return nil, err
	}
	var k map[string]any
	if json.Unmarshal(body["keyCredential"], &k) != nil || k == nil {
		return nil, badKey("Key credential must have type, usage and key.")
	}
	if oneKey(o, asText(k["keyId"])) != nil {
		return nil, badKey("A credential with this keyId exists already.")
	}
	if err := t.completeKey(k, c.now, true); err != nil {
		return nil, err
	}
	b, _ := json.Marshal(append(keys(o), k))
	t.rewrite(o, map[string]string{"keyCredentials": string(b)}, c.now)
	k["key"] = nil
	k["@odata.context"] = c.host + "/" + c.version + "/$metadata#microsoft.graph.keyCredential"
	b, _ = json.Marshal(k)
	return ok(b), nil
}

func (s *Server) removeKey(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	o, err := t.rolling(c, body)
	if err != nil {
		return nil, err
	}
	id := unquote(string(body["keyId"]))
	if oneKey(o, id) == nil {
		return nil, badRequest("No credentials found to be removed.")
	}
	var rest []map[string]any
	for _, k := range keys(o) {
		if !strings.EqualFold(asText(k["keyId"]), id) {
			rest = append(rest, k)
		}
	}
	b, _ := json.Marshal(rest)
	if rest == nil {
		b = []byte("[]")
	}
	t.rewrite(o, map[string]string{"keyCredentials": string(b)}, c.now)
	return noContent(), nil
}

// rolling is the application whose certificates are rolled, if the caller may
// and the proof holds.
func (t *tenant) rolling(c *call, body map[string]jsonValue) (*object, *graphError) {
	o := t.application(c.vars[0])
	if o == nil {
		return nil, notFound(c.vars[0])
	}
	own := c.who.isApp && strings.EqualFold(c.who.app, o.text("appId"))
	if !own && (!c.who.may(canWriteApps) || !t.mayRegister(c.who)) {
		return nil, denied()
	}
	if !t.proven(o, unquote(string(body["proof"]))) {
		return nil, fail(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
	}
	return o, nil
}

// proven reports whether a JWT was signed, for this application and the
// directory, by the key of one of its valid certificates. Its times are the
// machine's, as those of an assertion.
func (t *tenant) proven(o *object, proof string) bool {
	_, claims, err := readJWT(proof)
	if err != nil || claims["aud"] != proofAudience || !strings.EqualFold(asText(claims["iss"]), o.id()) {
		return false
	}
	nbf, hasNbf := claims["nbf"].(float64)
	exp, hasExp := claims["exp"].(float64)
	now := float64(time.Now().Unix())
	const skew = 5 * 60
	if !hasNbf || !hasExp || now < nbf-skew || now > exp+skew || exp-nbf > 10*60 {
		return false
	}
	for _, cert := range certificates(o) {
		pub, isRSA := cert.PublicKey.(*rsa.PublicKey)
		if isRSA && !t.clock.Now().After(cert.NotAfter) && signedBy(proof, pub, "RS256", "PS256") {
			return true
		}
	}
	return false
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
