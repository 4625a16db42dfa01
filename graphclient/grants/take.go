package grants

import (
	"context"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/consent"
)

// TakeKey keeps a key pair that was made elsewhere as the one that a connection's
// application signs in with, in place of what the sealed row held.
func TakeKey(ctx context.Context, keys consent.Cache, key *certificate.Pair) error {
	r, err := loadRow(ctx, keys)
	if err != nil {
		return err
	}
	if r.Current != nil && r.Current.Thumbprint() == key.Thumbprint() {
		return nil
	}
	*r = row{Version: rowVersion, Tag: r.Tag, Current: &pair{Pair: key, KeyID: keyID(key.Certificate.Raw)}}
	if r.Tag == "" {
		r.Tag = newTag()
	}
	return storeRow(ctx, keys, r)
}
