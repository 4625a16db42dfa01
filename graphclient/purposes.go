package graphclient

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/progress"
)

// Purposes reads the kind of mailbox of each account. To a signed-in person Graph
// answers 403 for every mailbox but their own; that is PurposeUnknown, which
// protects the account, and not an error.
func (c *Client) Purposes(ctx context.Context, ids []directory.ID, sink progress.Sink) (map[directory.ID]directory.Marks, error) {
	k := call{progress.Purposes, sink}
	items := make([]item, 0, len(ids))
	for _, id := range ids {
		at, err := c.purposeURL(ctx, string(id))
		if err != nil {
			return nil, err
		}
		items = append(items, item{method: http.MethodGet, url: at, needs: needMailbox})
	}
	var done atomic.Int64
	replies, err := c.readBatch(ctx, k, items, func(n int) { k.report(int(done.Add(int64(n))), len(ids), false) })
	if err != nil {
		return nil, err
	}
	out := make(map[directory.ID]directory.Marks, len(ids))
	for i, r := range replies {
		out[ids[i]] = c.purpose(r)
	}
	k.report(len(ids), len(ids), true)
	return out, nil
}

// noMailbox are the codes of a 404 that say that there is no mailbox. With another
// code the account itself may not have been found, so nothing is known.
var noMailbox = [...]string{ //nolint:gochecknoglobals // a table
	"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox", "ErrorItemNotFound", "ErrorInvalidUser",
}

// purpose reads one answer. The words of Graph: user, linked, shared, room,
// equipment, others.
func (c *Client) purpose(r *reply) directory.Marks {
	u, _ := c.refusal(r.answer())
	switch {
	case r.status == http.StatusNotFound && slices.Contains(noMailbox[:], u.Code):
		return directory.PurposeNone
	case r.status != http.StatusOK:
		return directory.PurposeUnknown
	}
	v, err := decode[struct {
		Value string `json:"value"`
	}](r.answer(), request{what: "userPurpose"})
	if err != nil {
		return directory.PurposeUnknown
	}
	switch strings.ToLower(v.Value) {
	case "user", "linked":
		return directory.PurposeUser
	case "shared":
		return directory.PurposeShared
	case "room":
		return directory.PurposeRoom
	case "equipment":
		return directory.PurposeEquipment
	case "":
		return directory.PurposeUnknown
	}
	return directory.PurposeOther
}
