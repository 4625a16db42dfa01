package simulator

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// signJWT makes a signed token (RS256), as Entra ID signs its own.
func signJWT(key *rsa.PrivateKey, keyID string, claims map[string]any) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	t.Header["kid"] = keyID
	signed, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return signed, nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// readJWT takes a token apart without checking its signature.
func readJWT(token string) (head, claims map[string]any, err error) {
	body := jwt.MapClaims{}
	t, _, err := jwt.NewParser().ParseUnverified(token, body)
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) { // an unknown algorithm
		return nil, nil, fmt.Errorf("read the token: %w", err)
	}
	return t.Header, body, nil
}

// signedBy reports whether a key signed a token, by one of the methods. The
// token's times are for the caller to judge.
func signedBy(token string, key *rsa.PublicKey, methods ...string) bool {
	p := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithoutClaimsValidation())
	_, err := p.Parse(token, func(*jwt.Token) (any, error) { return key, nil })
	return err == nil
}
