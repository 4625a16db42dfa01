// Package adapter is a kiota RequestAdapter of our own. With it the request builders
// and models of msgraph-sdk-go are used in the ordinary way, over our own transport.
// A caller that needs the bytes of an answer takes the Address of a builder's request
// and sends it itself.
//
// The SDK's own adapter is not used: its middleware runs in random order and repeats
// a POST after a 504, one timeout covers all its waits, and its errors may panic.
// Here a builder makes the request, a Send carries it out by the caller's rules for
// hosts, tokens, repeats and errors, and the answer is parsed into the SDK's model.
// The builder returns an error of the Send unchanged.
package adapter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoft/kiota-abstractions-go/store"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
)

const jsonType = "application/json"

// Request is what a builder asks for.
type Request struct {
	Method, URL string // the address is absolute
	Header      http.Header
	Body        []byte // nil for none
	// Accept takes the answer to a request that succeeded. An error of it means
	// that the answer was not understood.
	Accept func(status int, body []byte) error
}

// Send carries out a request and hands a success to its Accept. Which host may
// be reached, and what is tried again, is for the Send to know.
type Send func(context.Context, Request) error

// Answers that are not understood.
var (
	ErrEmpty   = errors.New("empty")
	ErrNoValue = errors.New("no value")
)

// New makes the arguments of a request builder: path parameters with the root of all
// addresses, and the adapter.
//
//	domains.NewDomainsRequestBuilderInternal(adapter.New(root, send)).Get(ctx, nil)
func New(root string, send Send) (map[string]string, kiota.RequestAdapter) {
	return map[string]string{"baseurl": root}, &adapter{root: root, send: send}
}

// Address is the address of a builder's request in the spelling that Graph
// documents: the SDK writes %24select for $select, and the alias graph.user for
// microsoft.graph.user.
func Address(info *kiota.RequestInformation, err error) (string, error) {
	if err != nil {
		return "", err
	}
	u, err := info.GetUri()
	if err != nil {
		return "", err
	}
	return strings.NewReplacer("?%24", "?$", "&%24", "&$", "/graph.user", "/microsoft.graph.user").Replace(u.String()), nil
}

// Encode writes a model as the SDK does: only what was set, null for what was
// set to nil.
func Encode(v serialization.Parsable) ([]byte, error) {
	w, err := writers().GetSerializationWriter(jsonType)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if err := w.WriteObjectValue("", v); err != nil {
		return nil, err
	}
	b, err := w.GetSerializedContent()
	return bytes.Clone(b), err
}

func writers() serialization.SerializationWriterFactory {
	return store.NewBackingStoreSerializationWriterProxyFactory(kiotajson.NewJsonSerializationWriterFactory())
}

type adapter struct {
	root string
	send Send
}

// do sends what a builder asks for.
func (a *adapter) do(ctx context.Context, info *kiota.RequestInformation, accept func(int, []byte) error) error {
	at, err := Address(info, nil)
	if err != nil {
		return err
	}
	r := Request{Method: info.Method.String(), URL: at, Header: http.Header{}, Body: info.Content, Accept: accept}
	for _, name := range info.Headers.ListKeys() {
		for _, v := range info.Headers.Get(name) {
			r.Header.Add(name, v)
		}
	}
	return a.send(ctx, r)
}

// Send parses the answer into a model; nil if there is no content.
func (a *adapter) Send(
	ctx context.Context, info *kiota.RequestInformation, make serialization.ParsableFactory, _ kiota.ErrorMappings,
) (v serialization.Parsable, err error) {
	err = a.do(ctx, info, func(status int, body []byte) (err error) {
		if status == http.StatusNoContent {
			return nil
		}
		v, err = parse(body, make)
		return err
	})
	return v, err
}

// parse reads a model from JSON. A list must have a value, if only an empty one:
// without a value its content is unknown.
func parse(body []byte, make serialization.ParsableFactory) (serialization.Parsable, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, ErrEmpty
	}
	node, err := kiotajson.NewJsonParseNode(body)
	if err != nil {
		return nil, err
	}
	v, err := node.GetObjectValue(make)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, ErrEmpty
	}
	if _, list := v.(interface{ GetOdataNextLink() *string }); list {
		value, err := node.GetChildNode("value")
		if n, ok := value.(*kiotajson.JsonParseNode); err != nil || !ok || n == nil {
			return nil, ErrNoValue
		}
	}
	return v, nil
}

// SendNoContent takes any success.
func (a *adapter) SendNoContent(ctx context.Context, info *kiota.RequestInformation, _ kiota.ErrorMappings) error {
	return a.do(ctx, info, func(int, []byte) error { return nil })
}

func (a *adapter) GetSerializationWriterFactory() serialization.SerializationWriterFactory {
	return writers()
}
func (a *adapter) GetBaseUrl() string { return a.root }

// No request here needs what follows.

func unsupported(what string) error { return fmt.Errorf("adapter of Graph: %s is not supported", what) }

func (a *adapter) SendEnum(context.Context, *kiota.RequestInformation, serialization.EnumFactory, kiota.ErrorMappings) (any, error) {
	return nil, unsupported("an enumeration")
}

func (a *adapter) SendCollection(context.Context, *kiota.RequestInformation, serialization.ParsableFactory, kiota.ErrorMappings) ([]serialization.Parsable, error) {
	return nil, unsupported("a bare list")
}

func (a *adapter) SendEnumCollection(context.Context, *kiota.RequestInformation, serialization.EnumFactory, kiota.ErrorMappings) ([]any, error) {
	return nil, unsupported("a list of enumerations")
}

func (a *adapter) SendPrimitive(context.Context, *kiota.RequestInformation, string, kiota.ErrorMappings) (any, error) {
	return nil, unsupported("a primitive")
}

func (a *adapter) SendPrimitiveCollection(context.Context, *kiota.RequestInformation, string, kiota.ErrorMappings) ([]any, error) {
	return nil, unsupported("a list of primitives")
}

func (a *adapter) ConvertToNativeRequest(context.Context, *kiota.RequestInformation) (any, error) {
	return nil, unsupported("a native request")
}

func (a *adapter) EnableBackingStore(store.BackingStoreFactory) {}
func (a *adapter) SetBaseUrl(string)                            {}
