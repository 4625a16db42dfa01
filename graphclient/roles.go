package graphclient

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/rolemanagement"
	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// noPIM is the code with which Graph says that the tenant has no licence for
// Privileged Identity Management, and so no eligible roles. Every other error of
// these reads fails them.
const noPIM = "AadPremiumLicenseRequired"

// holders are the accounts with a directory role, or in a role-assignable group.
type holders struct {
	mu    sync.Mutex
	roles map[directory.ID]bool // of a directory role, active or eligible
	group map[directory.ID]bool // members and owners of role-assignable groups, also eligible ones if they can be read
	// noPIM: the tenant has no licence for eligibilities. unread counts the
	// role-assignable groups whose eligible members could not be read.
	noPIM  bool
	unread int
}

// notes are warnings about what could not be read and does not stop a sync.
func (h *holders) notes() []*problem.Problem {
	if h.unread == 0 || h.noPIM {
		return nil
	}
	return []*problem.Problem{problem.New(problem.EligibleUnread, problem.Args{
		"groups": strconv.Itoa(h.unread), "permission": needJoin,
	})}
}

// add notes a holder. An entry without an ID is an error: the account it is about
// would not be protected.
func (h *holders) add(to map[directory.ID]bool, id string, r request) error {
	if id == "" {
		return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": "an entry without id"})
	}
	h.mu.Lock()
	to[directory.ID(strings.ToLower(id))] = true
	h.mu.Unlock()
	return nil
}

// holder notes the principal of one assignment or eligibility.
func (h *holders) holder(seen once, id, principal, what string) error {
	r := request{what: what}
	if err := seen.take(id, r); err != nil {
		return err
	}
	return h.add(h.roles, principal, r)
}

// once refuses a list that shows an object twice. Graph gives no count of these
// lists, and a page that comes twice may have come in place of another page.
type once map[string]bool

func (o once) take(id string, r request) error {
	if id == "" {
		return nil
	}
	if o[id] {
		return problem.New(problem.PagesRepeat, problem.Args{"what": describe(r)})
	}
	o[id] = true
	return nil
}

// marks are those that the holders give an account.
func (h *holders) marks(id directory.ID) directory.Marks {
	var m directory.Marks
	if h.roles[id] {
		m |= directory.RoleHolder
	}
	if h.group[id] {
		m |= directory.RoleGroup
	}
	return m
}

// holders reads every role assignment at any scope, every eligibility, and the
// members and owners of every role-assignable group, each to its last page. If one
// of these reads fails, holders fails: an account must not look unprotected because
// a read failed. Accounts that are only eligible for such a group are read if the
// permission was given; if not, a note says so.
//
// A group that holds a role is always role-assignable, so its members are included.
func (c *Client) holders(ctx context.Context, k call) (*holders, error) {
	h := &holders{roles: map[directory.ID]bool{}, group: map[directory.ID]bool{}}
	roles := rolemanagement.NewRoleManagementRequestBuilderInternal(c.reading(k, needRoles)).Directory()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		what, seen := "GET /roleManagement/directory/roleAssignments", once{}
		return eachPage(ctx, what, roles.RoleAssignments(), nil, func(a models.UnifiedRoleAssignmentable) error {
			return h.holder(seen, adapter.Value(a.GetId()), adapter.Value(a.GetPrincipalId()), what)
		})
	})
	g.Go(func() error {
		what, seen := "GET /roleManagement/directory/roleEligibilitySchedules", once{}
		err := eachPage(ctx, what, roles.RoleEligibilitySchedules(), nil, func(e models.UnifiedRoleEligibilityScheduleable) error {
			return h.holder(seen, adapter.Value(e.GetId()), adapter.Value(e.GetPrincipalId()), what)
		})
		if p := problem.Of(err); p != nil && p.Upstream != nil && p.Upstream.Code == noPIM {
			c.log.InfoContext(ctx, "tenant has no PIM", "status", p.Upstream.Status)
			h.mu.Lock()
			h.noPIM = true
			h.mu.Unlock()
			return nil
		}
		return err
	})
	g.Go(func() error { return c.roleGroups(ctx, k, h) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	k.report(len(h.roles)+len(h.group), -1, true)
	return h, nil
}

// roleGroups reads members and owners of the role-assignable groups: the first
// page of each in a batch, further pages one by one.
func (c *Client) roleGroups(ctx context.Context, k call, h *holders) error {
	type object struct {
		ID string `json:"id"`
		// Principal is the account of an eligibility.
		Principal string `json:"principalId"`
	}
	var ids []string
	groups, seen := c.get(c.roleGroupsURL(), needGroups), once{}
	if _, err := readPages(ctx, c, k, groups, func(gs []object) error {
		for _, g := range gs {
			if err := seen.take(g.ID, groups); err != nil {
				return err
			}
			ids = append(ids, g.ID)
		}
		return nil
	}); err != nil || len(ids) == 0 {
		return err
	}
	may, err := c.mayReadEligibles(ctx)
	if err != nil {
		return err
	}
	if !may {
		h.unread = len(ids)
	}
	var items []item
	for _, id := range ids {
		for _, part := range []string{"transitiveMembers", "owners"} {
			items = append(items, item{method: http.MethodGet, url: c.groupPartURL(id, part), needs: needGroups, object: true})
		}
		if may {
			items = append(items, item{method: http.MethodGet, url: c.groupEligiblesURL(id), needs: needJoin, object: true})
		}
	}
	replies, err := c.readBatch(ctx, k, items, nil)
	if err != nil {
		return err
	}
	for i, r := range replies {
		eligible := items[i].needs == needJoin
		what, seen := c.get(items[i].url, items[i].needs), once{}
		keep := func(os []object) error {
			for _, o := range os {
				if err := seen.take(o.ID, what); err != nil {
					return err
				}
				who := o.ID
				if eligible {
					who = o.Principal
				}
				if err := h.add(h.group, who, what); err != nil {
					return err
				}
			}
			return nil
		}
		if eligible && r.status >= 400 && r.status < 500 {
			// The caller has no role for it, the tenant no licence, or the cloud lacks it.
			c.log.InfoContext(ctx, "eligible members not read", "group", ids[i/3], "status", r.status)
			h.unread++
			continue
		}
		if r.status < 200 || r.status > 299 {
			return c.readProblem(what, r.answer())
		}
		p, err := decode[page[object]](r.answer(), what)
		if err != nil {
			return err
		}
		if p.Value == nil {
			return broken(r.answer(), what, "no value")
		}
		if err := keep(*p.Value); err != nil {
			return err
		}
		if p.Next == "" {
			continue
		}
		if _, err := readPages(ctx, c, k, c.get(p.Next, items[i].needs), keep); err != nil {
			return err
		}
	}
	return nil
}

// mayReadEligibles reports whether the token for reading holds the permission to
// read eligible members of groups. Without it Graph is not asked, because it would
// refuse, and holders are read often.
func (c *Client) mayReadEligibles(ctx context.Context) (bool, error) {
	token, err := c.tokens.Token(ctx, c.readScopes...)
	if err != nil {
		return false, err
	}
	who, _ := claims.Read(token)
	return claims.Covers(who.Permissions(), needJoin), nil
}
