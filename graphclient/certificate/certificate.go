// Package certificate holds what an application signs in with: an RSA key and
// the self-signed certificate whose public half is registered with the
// application in Entra ID.
//
// New makes such a pair. Encode and Parse keep it as one text that only a sealed
// row may hold; ParseFiles reads what an administrator brings along. A Pair
// prints as its thumbprint, whatever verb is used.
package certificate

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Entra ID shows certificates by their SHA-1 thumbprint; it names one and proves nothing
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/secret"
)

const (
	// keyBits is what Entra ID takes and what its own documentation makes.
	keyBits = 2048
	// early is how far back a new certificate begins: the clock of this machine
	// may be ahead of Microsoft's.
	early = 10 * time.Minute
	// maxName is the limit of a common name in a certificate (X.520).
	maxName = 64
)

// Pair is a private key with its certificate. It never prints the key.
type Pair struct {
	Key         crypto.Signer // an *rsa.PrivateKey: Entra ID takes no other
	Certificate *x509.Certificate
}

// New makes a key and a self-signed certificate (RSA 2048, SHA-256) that holds
// for life from now on. name is its common name; longer than 64 characters it is
// cut.
func New(name string, now time.Time, life time.Duration) (*Pair, error) {
	if life <= 0 {
		return nil, fmt.Errorf("a certificate cannot live %v", life)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)), // never zero
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.UTC().Add(-early), NotAfter: now.UTC().Add(life),
		SignatureAlgorithm: x509.SHA256WithRSA,
		KeyUsage:           x509.KeyUsageDigitalSignature, // it signs assertions, and nothing else
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true, // not an authority
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &Pair{Key: key, Certificate: cert}, nil
}

// Thumbprint is the SHA-1 of the certificate in upper-case hex, as Entra ID
// shows it.
func (p *Pair) Thumbprint() string {
	sum := sha1.Sum(p.Certificate.Raw) //nolint:gosec // as above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// PublicPEM is the certificate as a file that the Entra admin center takes.
func (p *Pair) PublicPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw})
}

// Ends is when the certificate is no longer accepted.
func (p *Pair) Ends() time.Time { return p.Certificate.NotAfter }

// Encode gives key (PKCS #8) and certificate in PEM, to be sealed.
func (p *Pair) Encode() (secret.Text, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return secret.Text{}, errors.New("the key cannot be encoded") // its error may quote the key's type only, but nothing is gained
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	text := secret.NewText(string(append(out, p.PublicPEM()...)))
	clear(der)
	clear(out)
	return text, nil
}

// Format gives the thumbprint for every verb.
func (p *Pair) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// String is the certificate's thumbprint.
func (p *Pair) String() string {
	if p == nil || p.Certificate == nil {
		return "no certificate"
	}
	return "certificate " + p.Thumbprint()
}

// MarshalText gives the thumbprint to encoders.
func (p *Pair) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// LogValue gives the thumbprint to slog.
func (p *Pair) LogValue() slog.Value { return slog.StringValue(p.String()) }
