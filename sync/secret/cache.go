package secret

import (
	"context"
	"errors"
	"sync"

	"github.com/hacsync/hacsync/sync/problem"
)

// TokenCache keeps the tokens of one connection in a sealed row. It is a
// consent.Cache, safe for concurrent use.
type TokenCache struct {
	rows       Rows
	sealer     Sealer
	connection string

	mu      sync.Mutex
	version int64 // of the row that was last read or found to open
}

// tokenRow is the row's name.
const tokenRow = "tokens"

// NewTokenCache makes the cache of a connection.
func NewTokenCache(rows Rows, sealer Sealer, connection string) *TokenCache {
	return &TokenCache{rows: rows, sealer: sealer, connection: connection}
}

// Load returns what was last stored, or nil. What another key sealed is a
// problem, and stays.
func (c *TokenCache) Load(ctx context.Context) ([]byte, error) {
	plain, version, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	c.know(version)
	return plain, nil
}

func (c *TokenCache) load(ctx context.Context) ([]byte, int64, error) {
	sealed, version, err := c.rows.Sealed(ctx, c.connection, tokenRow)
	if err != nil || version == 0 {
		return nil, 0, err
	}
	plain, err := c.sealer.Open(ctx, sealed)
	if errors.Is(err, ErrOtherKey) {
		return nil, 0, elsewhere(err, c.connection, c.sealer.Name())
	}
	return plain, version, err
}

// storeTries is how often a row that others change meanwhile is tried.
const storeTries = 8

// Store replaces it. A row that another process replaced meanwhile is replaced
// as well, once it is seen to open with the same key: a row that does not is
// somebody else's, and is never overwritten. Entra ID keeps older refresh
// tokens valid, so the last writer loses nothing.
func (c *TokenCache) Store(ctx context.Context, plain []byte) error {
	sealed, err := c.sealer.Seal(ctx, plain)
	if err != nil {
		return err
	}
	for range storeTries {
		version := c.known()
		err := c.rows.SaveSealed(ctx, c.connection, tokenRow, sealed, version)
		if err == nil {
			// The new version is not told; the next Store looks.
			c.know(0)
			return nil
		}
		if !errors.Is(err, ErrStale) {
			return err
		}
		if _, version, err = c.load(ctx); err != nil {
			return err
		}
		c.know(version)
	}
	return problem.New(problem.SealedContended, problem.Args{"what": c.connection})
}

func (c *TokenCache) know(version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

func (c *TokenCache) known() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}
