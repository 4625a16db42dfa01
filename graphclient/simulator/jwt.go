package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// signJWT makes a signed token (RS256), as Entra ID signs its own.
func signJWT(key *rsa.PrivateKey, keyID string, claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "RS256", "kid": keyID})
	if err != nil {
		return "", fmt.Errorf("encode the token's header: %w", err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the token's claims: %w", err)
	}
	unsigned := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(unsigned))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return unsigned + "." + b64(sig), nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

var errToken = errors.New("not a token")

// jwtParts takes a token apart without checking its signature.
func jwtParts(token string) (head, claims map[string]any, signed string, sig []byte, err error) {
	f := strings.Split(token, ".")
	if len(f) != 3 {
		return nil, nil, "", nil, errToken
	}
	for i, into := range []*map[string]any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(f[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return nil, nil, "", nil, errToken
		}
	}
	if sig, err = base64.RawURLEncoding.DecodeString(f[2]); err != nil {
		return nil, nil, "", nil, errToken
	}
	return head, claims, f[0] + "." + f[1], sig, nil
}

// checkRSA verifies a signature by RS256 or PS256.
func checkRSA(pub *rsa.PublicKey, alg, signed string, sig []byte) error {
	sum := sha256.Sum256([]byte(signed))
	var err error
	switch alg {
	case "RS256":
		err = rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig)
	case "PS256":
		err = rsa.VerifyPSS(pub, crypto.SHA256, sum[:], sig, nil)
	default:
		return fmt.Errorf("algorithm %q is neither RS256 nor PS256", alg)
	}
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	return nil
}
