package signin

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"

	"github.com/hacsync/hacsync/sync/consent"
)

// errVault marks an error of the place where the sign-in is kept.
var errVault = errors.New("saved sign-in")

// vault is MSAL's cache, kept by a consent.Cache or, without one, in memory.
type vault struct {
	mu    sync.Mutex
	cache consent.Cache
	plain []byte // what MSAL last wrote, if there is no cache
	lost  error  // why the latest sign-in could not be stored
}

var _ cache.ExportReplace = (*vault)(nil)

// Replace gives MSAL what is kept: another process may have stored since.
func (v *vault) Replace(ctx context.Context, into cache.Unmarshaler, _ cache.ReplaceHints) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	plain := v.plain
	if v.cache != nil {
		var err error
		if plain, err = v.cache.Load(ctx); err != nil {
			return fmt.Errorf("%w: %w", errVault, err)
		}
	}
	if len(plain) == 0 {
		return nil
	}
	if err := into.Unmarshal(plain); err != nil {
		return fmt.Errorf("%w: %w", errVault, err)
	}
	return nil
}

// Export keeps what MSAL writes. If storing fails, the sign-in itself has succeeded:
// it goes on in memory, and failure returns why.
func (v *vault) Export(ctx context.Context, from cache.Marshaler, _ cache.ExportHints) error {
	plain, err := from.Marshal()
	if err != nil {
		return fmt.Errorf("%w: %w", errVault, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost = nil
	if v.cache == nil {
		v.plain = plain
		return nil
	}
	if err := v.cache.Store(ctx, plain); err != nil {
		v.lost = fmt.Errorf("%w: %w", errVault, err)
	}
	return nil
}

// failure is why the latest Export was not stored; the next call returns nil.
func (v *vault) failure() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.lost
	v.lost = nil
	return err
}

// moveTo stores what is held in memory, and uses cache from now on.
func (v *vault) moveTo(ctx context.Context, cache consent.Cache) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.plain) == 0 && v.cache == nil {
		return errors.New("there is no sign-in to keep")
	}
	plain := v.plain
	if v.cache != nil {
		var err error
		if plain, err = v.cache.Load(ctx); err != nil {
			return err
		}
	}
	if err := cache.Store(ctx, plain); err != nil {
		return err
	}
	clear(v.plain)
	v.cache, v.plain = cache, nil
	return nil
}
