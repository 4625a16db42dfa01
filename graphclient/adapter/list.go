package adapter

import (
	"context"
	"errors"

	kiota "github.com/microsoft/kiota-abstractions-go"
)

// Lists that are not understood.
var (
	ErrRepeats = errors.New("a page comes a second time")
	ErrNull    = errors.New("an entry that is null")
)

// Lists is a request builder of the SDK for a list.
type Lists[B, Q, P any] interface {
	ToGetRequestInformation(context.Context, *Q) (*kiota.RequestInformation, error)
	Get(context.Context, *Q) (P, error)
	WithUrl(string) B
}

// Page is one page of a list as a model of the SDK.
type Page[T any] interface {
	GetValue() []T
	GetOdataNextLink() *string
}

// Each calls each with every entry of a list, to its last page. A link to the next
// page is used as it came, and never twice. The SDK's own iterator drops the headers
// of the first request and works by reflection.
func Each[B Lists[B, Q, P], Q any, P Page[T], T any](ctx context.Context, b B, q *Q, each func(T) error) error {
	at, err := Address(b.ToGetRequestInformation(ctx, q))
	if err != nil {
		return err
	}
	for seen := map[string]bool{}; ; {
		if seen[at] {
			return ErrRepeats
		}
		seen[at] = true
		p, err := b.Get(ctx, q)
		if err != nil {
			return err
		}
		for _, v := range p.GetValue() {
			if any(v) == nil {
				return ErrNull
			}
			if err := each(v); err != nil {
				return err
			}
		}
		if at = Value(p.GetOdataNextLink()); at == "" {
			return nil
		}
		b, q = b.WithUrl(at), nil
	}
}

// Value is a model's value, the zero value if it has none.
func Value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
