package claims

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// maxChallenge is more than any claims request needs: Entra ID's own are below a
// kilobyte, and the request becomes part of an address.
const maxChallenge = 8 << 10

// Challenge takes the claims challenge out of the values of a WWW-Authenticate
// header, decoded; empty without one. Continuous access evaluation sends it with
// error="insufficient_claims" and the claims in base64; both alphabets are met,
// with padding and without.
func Challenge(values []string) string {
	for _, line := range values {
		raw, found := parameter(line, "claims")
		if !found {
			continue
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if b, err := enc.DecodeString(raw); err == nil {
				return Request(string(b))
			}
		}
		return Request(raw) // some send it as it is
	}
	return ""
}

// parameter finds name="value" in a challenge; a quoted value may hold \".
func parameter(line, name string) (string, bool) {
	for {
		i := strings.Index(strings.ToLower(line), name+`="`)
		if i < 0 || len(strings.ToLower(line)) != len(line) {
			return "", false
		}
		word := i == 0 || strings.ContainsRune(" ,\t", rune(line[i-1]))
		line = line[i+len(name)+2:]
		if !word {
			continue
		}
		var value strings.Builder
		for j := 0; j < len(line); j++ {
			switch {
			case line[j] == '\\' && j+1 < len(line):
				j++
				value.WriteByte(line[j])
			case line[j] == '"':
				return value.String(), true
			default:
				value.WriteByte(line[j])
			}
		}
		return "", false
	}
}

// Request is a claims request (the claims parameter of OpenID Connect) as it may
// be passed on: a JSON object, compact. Anything else gives "".
func Request(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxChallenge || !strings.HasPrefix(text, "{") {
		return ""
	}
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return ""
	}
	return out.String()
}
