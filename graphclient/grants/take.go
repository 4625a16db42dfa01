package grants

import (
	"context"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/consent"
)

// TakeKey keeps a key pair that was made elsewhere as the one that a connection's
// application signs in with, in place of what the sealed row held. It gives the
// tag that makes the application this connection's own: it may then be given
// further certificates and renewed from here.
func TakeKey(ctx context.Context, keys consent.Cache, key *certificate.Pair) (tag string, err error) {
	r, err := loadRow(ctx, keys)
	if err != nil {
		return "", err
	}
	if r.Tag == "" {
		r.Tag = newTag()
	}
	if r.Current == nil || r.Current.Thumbprint() != key.Thumbprint() {
		*r = row{Version: rowVersion, Tag: r.Tag, Current: &pair{Pair: key, KeyID: keyID(key.Certificate.Raw)}, seen: r.seen}
	}
	return r.Tag, storeRow(ctx, keys, r)
}
