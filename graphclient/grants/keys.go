package grants

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// row is what the sealed row of a connection holds: the tag by which its
// application is found, and up to three key pairs. It is written before anything
// is sent that rests on it, so that a program killed at any moment finds what it
// did in the tenant.
type row struct {
	Version int    `json:"version"`
	Tag     string `json:"tag,omitempty"`
	// Current signs in. Its certificate is registered, or is to be.
	Current *pair `json:"current,omitempty"`
	// Next is to become current: made, perhaps registered, not proven yet.
	Next *pair `json:"next,omitempty"`
	// Old was current and is to be taken away.
	Old *pair `json:"old,omitempty"`

	// seen is the sum of what is kept, as it was last read or written here.
	seen [sha256.Size]byte
}

// pair is a key pair with the keyId that its certificate has in the tenant. It
// is chosen here: an application may not read its own certificates, and without
// the keyId it could never take one away.
type pair struct {
	*certificate.Pair
	KeyID string
}

const rowVersion = 1

// MarshalJSON gives the form that is sealed. The key is in clear in it.
func (p *pair) MarshalJSON() ([]byte, error) {
	text, err := p.Encode()
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"key_id": p.KeyID, "pem": text.Reveal()})
}

// UnmarshalJSON reads it back.
func (p *pair) UnmarshalJSON(raw []byte) error {
	var s struct {
		KeyID string `json:"key_id"`
		PEM   string `json:"pem"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return errors.New("no key pair") // not the decoder's own words: they quote
	}
	k, err := certificate.Parse([]byte(s.PEM))
	if err != nil {
		return err
	}
	p.Pair, p.KeyID = k, s.KeyID
	return nil
}

// LoadKey is the key pair that the application of a connection signs in with,
// from its sealed row: a problem (KeyPairMissing) without one.
func LoadKey(ctx context.Context, keys consent.Cache) (*certificate.Pair, error) {
	r, err := loadRow(ctx, keys)
	if err != nil {
		return nil, err
	}
	if r.Current == nil {
		return nil, problem.New(problem.KeyPairMissing, problem.Args{"connection": ""})
	}
	return r.Current.Pair, nil
}

// loadRow reads the sealed row; a new one if there is none yet. What cannot be
// read is left as it is.
func loadRow(ctx context.Context, keys consent.Cache) (*row, error) {
	raw, err := keys.Load(ctx)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	r, err := parseRow(raw)
	if err == nil {
		r.seen = sha256.Sum256(raw)
	}
	return r, err
}

func parseRow(raw []byte) (*row, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return &row{Version: rowVersion}, nil
	}
	var r row
	if err := json.Unmarshal(raw, &r); err != nil {
		why := "it is no key pair of hacsync"
		var own *json.SyntaxError
		if !errors.As(err, &own) && errors.Is(err, certificate.ErrNoKey) {
			why = certificate.ErrNoKey.Error()
		}
		return nil, problem.New(problem.KeyPairUnreadable, problem.Args{"why": why})
	}
	if r.Version != rowVersion {
		return nil, problem.New(problem.KeyPairUnreadable, problem.Args{"why": "it is of another version of hacsync"})
	}
	return &r, nil
}

// storeRow keeps r, sealed, in place of what was last seen. Where another process
// has written since, it is a problem (SealedContended): what that one registered
// would lose its key.
func storeRow(ctx context.Context, keys consent.Cache, r *row) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return problem.New(problem.Internal, problem.Args{"what": "encode the key pair"})
	}
	defer clear(raw)
	there, err := keys.Load(ctx)
	if err != nil {
		return err
	}
	defer clear(there)
	if sha256.Sum256(there) != r.seen {
		return problem.New(problem.SealedContended, problem.Args{"what": "hacsync"})
	}
	if err := keys.Store(ctx, raw); err != nil {
		return err
	}
	r.seen = sha256.Sum256(raw)
	return nil
}

// newTag is unique to one application of one connection of one state.
func newTag() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return "hacsync-" + hex.EncodeToString(b[:])
}

// keyID is the identifier that a certificate is registered under. It is a GUID made
// from the certificate, so that it is the same for every caller, and after a crash.
func keyID(certificate []byte) string {
	b := sha256.Sum256(certificate)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
