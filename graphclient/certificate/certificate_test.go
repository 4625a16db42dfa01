package certificate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a thumbprint
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/problem"
)

var now = time.Date(2026, 11, 22, 7, 30, 0, 0, time.UTC)

func made(t testing.TB) *certificate.Pair {
	t.Helper()
	p, err := certificate.New("hacsync midori", now, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encoded(t testing.TB, p *certificate.Pair) []byte {
	t.Helper()
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text.Reveal())
}

func TestNew_MakesWhatEntraIDTakes(t *testing.T) {
	p := made(t)
	c := p.Certificate
	key, ok := p.Key.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < 2048 || c.SignatureAlgorithm != x509.SHA256WithRSA {
		t.Errorf("key %T, signed by %v", p.Key, c.SignatureAlgorithm)
	}
	if c.Subject.CommonName != "hacsync midori" || c.KeyUsage != x509.KeyUsageDigitalSignature || c.IsCA {
		t.Errorf("certificate of %q, usage %v, authority %v", c.Subject, c.KeyUsage, c.IsCA)
	}
	if back := now.Sub(c.NotBefore); back < 5*time.Minute || back > 15*time.Minute {
		t.Errorf("it begins %v back", back)
	}
	if !p.Ends().Equal(now.Add(365 * 24 * time.Hour)) {
		t.Errorf("it ends at %v", p.Ends())
	}
	if err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		t.Errorf("not signed by itself: %v", err)
	}
	sum := sha1.Sum(c.Raw) //nolint:gosec // a thumbprint
	if want := fmt.Sprintf("%X", sum); p.Thumbprint() != want {
		t.Errorf("thumbprint %s, want %s", p.Thumbprint(), want)
	}
	if again := made(t); again.Thumbprint() == p.Thumbprint() || again.Certificate.SerialNumber.Cmp(c.SerialNumber) == 0 {
		t.Error("two pairs are one")
	}
}

func TestNew_RefusesNoLifeAndCutsALongName(t *testing.T) {
	if _, err := certificate.New("x", now, 0); err == nil {
		t.Error("a certificate without a life was made")
	}
	p, err := certificate.New(strings.Repeat("碧", 100), now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(p.Certificate.Subject.CommonName)); n != 64 {
		t.Errorf("a name of %d characters", n)
	}
}

func TestParse_GivesBackWhatEncodeGave(t *testing.T) {
	p := made(t)
	q, err := certificate.Parse(encoded(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if q.Thumbprint() != p.Thumbprint() || !p.Key.(*rsa.PrivateKey).Equal(q.Key) {
		t.Error("another pair came back")
	}
}

func TestPair_NeverPrintsItsKey(t *testing.T) {
	p := made(t)
	d := p.Key.(*rsa.PrivateKey).D.String()
	j, err := json.Marshal(struct{ P *certificate.Pair }{p})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("pair", "pair", p)
	text, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		fmt.Sprint(p), fmt.Sprintf("%v %+v %#v %s %d %x", p, p, p, p, p, p), string(j), log.String(), fmt.Sprintf("%+v", text),
		fmt.Sprintf("%+v", struct{ p *certificate.Pair }{p}),
	} {
		if strings.Contains(s, d) || strings.Contains(s, d[:40]) || strings.Contains(s, "PRIVATE") {
			t.Errorf("the key stands in %.200s", s)
		}
	}
	if !strings.Contains(fmt.Sprint(p), p.Thumbprint()) {
		t.Errorf("printed as %v", p)
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestParse_SaysWhatIsWrong(t *testing.T) {
	p, other := made(t), made(t)
	key := p.Key.(*rsa.PrivateKey)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no small keys") // then none can be met either
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1, cert := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), string(p.PublicPEM())
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"key of the older form": {"some words\n" + pkcs1 + cert, nil},
		"chain behind":          {cert + string(other.PublicPEM()) + pkcs1, nil},
		"nothing":               {"", certificate.ErrNoKey},
		"no key":                {cert, certificate.ErrNoKey},
		"no certificate":        {pkcs1, certificate.ErrNoCertificate},
		"certificate of other":  {pkcs1 + string(other.PublicPEM()), certificate.ErrNoCertificate},
		"a PFX":                 {"\x30\x82\x09\x00rest", certificate.ErrPFX},
		"encrypted":             {cert + block("ENCRYPTED PRIVATE KEY", []byte("x")), certificate.ErrEncrypted},
		"encrypted the old way": {cert + "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\neA==\n-----END RSA PRIVATE KEY-----\n", certificate.ErrEncrypted},
		"elliptic curve":        {cert + block("PRIVATE KEY", ec), certificate.ErrNotRSA},
		"small key":             {cert + block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small)), certificate.ErrNotRSA},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := certificate.Parse([]byte(tc.text))
			if !errors.Is(err, tc.want) || (err == nil) != (got != nil) {
				t.Errorf("Parse = %v, %v; want %v", got, err, tc.want)
			}
		})
	}
	for name, text := range map[string]string{
		"broken certificate": block("CERTIFICATE", []byte("x")),
		"broken key":         cert + block("PRIVATE KEY", []byte("secret words")),
		"two keys":           string(encoded(t, p)) + string(encoded(t, other)),
	} {
		if _, err := certificate.Parse([]byte(text)); err == nil || strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseFiles_TakesOneFileOrTwo(t *testing.T) {
	p, dir := made(t), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	both := write("both.pem", string(encoded(t, p)))
	cert := write("cert.pem", strings.TrimSpace(string(p.PublicPEM())))
	key := write("key.pem", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(p.Key.(*rsa.PrivateKey))))
	for _, paths := range [][]string{{both}, {cert, key}, {key, cert}} {
		if q, err := certificate.ParseFiles(paths...); err != nil || q.Thumbprint() != p.Thumbprint() {
			t.Errorf("%v: %v, %v", paths, q, err)
		}
	}
	for path, want := range map[string]problem.Code{
		filepath.Join(dir, "nothing.pem"): problem.CertificateFileUnreadable,
		dir:                               problem.CertificateFileUnreadable,
		cert:                              problem.CertificateFileWrong,
		write("sealed.pem", block("ENCRYPTED PRIVATE KEY", []byte("x"))): problem.CertificateFileEncrypted,
		write("both.pfx", "\x30\x82\x09\x00rest"):                        problem.CertificateFilePFX,
	} {
		if _, err := certificate.ParseFiles(path); !problem.Has(err, want) || problem.Of(err).Args["file"] != path {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// FuzzParse looks for texts that make the parser fall, or that give a pair whose
// key and certificate do not belong together.
func FuzzParse(f *testing.F) {
	// Not an RSA pair: making one takes a fuzzed process half a minute.
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(block("PRIVATE KEY", der) + block("CERTIFICATE", cert)))
	f.Add([]byte(block("CERTIFICATE", cert) + block("RSA PRIVATE KEY", der)))
	f.Add([]byte(block("ENCRYPTED PRIVATE KEY", der)))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := certificate.Parse(text)
		if err != nil {
			return
		}
		pub, ok := p.Certificate.PublicKey.(*rsa.PublicKey)
		if !ok || !pub.Equal(p.Key.Public()) || pub.N.BitLen() < 2048 {
			t.Error("the pair does not fit together")
		}
		if _, err := p.Encode(); err != nil {
			t.Error(err)
		}
	})
}
