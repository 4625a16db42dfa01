package certificate

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
)

// Why a text is not a pair. None of them quotes what was read.
var (
	// ErrNoKey: no private key in it.
	ErrNoKey = errors.New("it holds no private key")
	// ErrNoCertificate: no certificate in it, or none of the key.
	ErrNoCertificate = errors.New("it holds no certificate that belongs to the private key")
	// ErrEncrypted: the private key is encrypted.
	ErrEncrypted = errors.New("its private key is encrypted")
	// ErrPFX: it is PKCS #12 (PFX), or DER, rather than PEM.
	ErrPFX = errors.New("it is not in PEM form")
	// ErrNotRSA: the key is of a kind that Entra ID does not take.
	ErrNotRSA = errors.New("its private key is not an RSA key of 2048 bits or more")
)

// maxFile is more than any file with a key and its chain.
const maxFile = 1 << 20

// Parse reads what Encode gave, or any PEM text with one unencrypted RSA key
// (PKCS #8 or PKCS #1) and its certificate; further certificates, such as those
// that signed it, are passed over.
func Parse(text []byte) (*Pair, error) {
	var (
		key   *rsa.PrivateKey
		certs []*x509.Certificate
	)
	if len(text) > 1 && text[0] == 0x30 && text[1]&0x80 != 0 { // a long ASN.1 sequence
		return nil, ErrPFX
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("a certificate in it cannot be read: %w", err)
			}
			certs = append(certs, cert)
			continue
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		k, err := privateKey(block)
		if err != nil {
			return nil, err
		}
		if key != nil && !key.Equal(k) {
			return nil, errors.New("it holds more than one private key")
		}
		key = k
	}
	return pairOf(key, certs)
}

func privateKey(block *pem.Block) (*rsa.PrivateKey, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, ErrEncrypted
	}
	// The parsers' errors say what was wrong, not what was there; they are
	// dropped all the same.
	var any any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		any, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		any, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, ErrNotRSA
	}
	if err != nil {
		return nil, errors.New("its private key cannot be read")
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, ErrNotRSA
	}
	return key, nil
}

// pairOf finds the certificate of a key.
func pairOf(key *rsa.PrivateKey, certs []*x509.Certificate) (*Pair, error) {
	switch {
	case key == nil:
		return nil, ErrNoKey
	case key.N.BitLen() < keyBits:
		return nil, ErrNotRSA
	}
	for _, c := range certs {
		if pub, ok := c.PublicKey.(*rsa.PublicKey); ok && pub.Equal(key.Public()) {
			return &Pair{Key: key, Certificate: c}, nil
		}
	}
	return nil, ErrNoCertificate
}

// ParseFiles reads a key and its certificate from one PEM file, or from two. Its
// errors are problems.
func ParseFiles(paths ...string) (*Pair, error) {
	name := strings.Join(paths, ", ")
	var all bytes.Buffer
	defer func() { clear(all.Bytes()) }()
	for _, path := range paths {
		text, err := readFile(path)
		if err != nil {
			return nil, problem.Wrap(err, problem.CertificateFileUnreadable, problem.Args{"file": path, "why": why(err)})
		}
		pem := input.PEM(text)
		all.Write(pem)
		all.WriteByte('\n')
		clear(text)
		clear(pem)
	}
	p, err := Parse(all.Bytes())
	switch {
	case errors.Is(err, ErrEncrypted):
		return nil, problem.Wrap(err, problem.CertificateFileEncrypted, problem.Args{"file": name})
	case errors.Is(err, ErrPFX):
		return nil, problem.Wrap(err, problem.CertificateFilePFX, problem.Args{"file": name})
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.CertificateFileWrong, problem.Args{"file": name, "why": err.Error()})
	}
	return p, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		clear(text)
		return nil, err
	}
	return text, nil
}

// why is an error of the file system without the path, which the message names.
func why(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
