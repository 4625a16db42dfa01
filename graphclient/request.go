package graphclient

import (
	"context"
	"net/url"

	kiota "github.com/microsoft/kiota-abstractions-go"
	sdkdirectory "github.com/microsoftgraph/msgraph-sdk-go/directory"
	sdkdomains "github.com/microsoftgraph/msgraph-sdk-go/domains"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/sync/problem"
)

// pageSize is the largest page of users that Graph gives.
const pageSize int32 = 999

// The permissions that reads need, as the message of a 403 names them.
const (
	needUsers   = "User.Read.All"
	needDomains = "Domain.Read.All"
	needTenant  = "Organization.Read.All"
	needRoles   = "RoleManagement.Read.Directory"
	needGroups  = "GroupMember.Read.All"
	needMailbox = "MailboxSettings.Read"
	// needJoin is optional: with it, eligible members of role-assignable groups
	// are protected too.
	needJoin = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
)

// reading makes the arguments of an SDK builder whose answer is small. Its
// requests are reads like all others; its answers are models of the SDK. needs is
// the permission that they need.
func (c *Client) reading(k call, needs string) (map[string]string, kiota.RequestAdapter) {
	return adapter.New(c.root, func(ctx context.Context, asked adapter.Request) error {
		r := request{
			method: asked.Method, url: asked.URL, header: asked.Header, body: asked.Body, scopes: c.readScopes, needs: needs,
		}
		r.accept = func(a answer) error {
			if err := asked.Accept(a.status, a.body); err != nil {
				return unreadable(a, r, err)
			}
			return nil
		}
		_, err := c.read(ctx, k, r)
		return err
	})
}

// Pages of users and $batch are decoded here, not by the SDK. A page of users takes the
// SDK's models ten times as long and thirty times the memory. Its $batch sends parts of
// 19 items, drops the answers of earlier parts when a later part fails, and panics on
// an item without an answer. The builders make only the addresses.

// addresses makes the arguments of an SDK builder that only makes an address.
func (c *Client) addresses() (map[string]string, kiota.RequestAdapter) {
	return adapter.New(c.root, nil)
}

// address is the absolute address of a request that an SDK builder made.
func address(info *kiota.RequestInformation, err error) (string, error) {
	at, err := adapter.Address(info, err)
	if err != nil {
		return "", problem.Wrap(err, problem.Internal, problem.Args{"what": "address of a request"})
	}
	return at, nil
}

// referencesURL lists what else uses a domain, cast to one type, which the SDK
// has no builder for.
func (c *Client) referencesURL(ctx context.Context, domain, kind string) (string, error) {
	at, err := address(sdkdomains.NewDomainsRequestBuilderInternal(c.addresses()).ByDomainId(domain).
		DomainNameReferences().ToGetRequestInformation(ctx, nil))
	return at + "/" + kind, err
}

// usersURL lists users. A filter makes it an advanced query, which needs
// $count=true and the header ConsistencyLevel: eventual.
func (c *Client) usersURL(ctx context.Context, sel []string, filter string) (string, error) {
	q := &sdkusers.UsersRequestBuilderGetQueryParameters{Select: sel, Top: new(pageSize)}
	if filter != "" {
		q.Filter, q.Count = new(filter), new(true)
	}
	return address(sdkusers.NewUsersRequestBuilderInternal(c.addresses()).ToGetRequestInformation(ctx,
		&sdkusers.UsersRequestBuilderGetRequestConfiguration{QueryParameters: q}))
}

func (c *Client) userCountURL(ctx context.Context) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.addresses()).Count().ToGetRequestInformation(ctx, nil))
}

// deltaNowURL starts a delta from this moment, without the past.
func (c *Client) deltaNowURL() string { return c.root + "/users/delta?$select=id&$deltatoken=latest" }

func (c *Client) userURL(ctx context.Context, idOrUPN string, sel []string) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.addresses()).ByUserId(idOrUPN).ToGetRequestInformation(ctx,
		&sdkusers.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.UserItemRequestBuilderGetQueryParameters{Select: sel},
		}))
}

func (c *Client) deleteUserURL(ctx context.Context, id string) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.addresses()).ByUserId(id).ToDeleteRequestInformation(ctx, nil))
}

func (c *Client) purposeURL(ctx context.Context, id string) (string, error) {
	at, err := address(sdkusers.NewUsersRequestBuilderInternal(c.addresses()).ByUserId(id).
		MailboxSettings().ToGetRequestInformation(ctx, nil))
	return at + "/userPurpose", err
}

func (c *Client) deletedUsersURL(ctx context.Context, sel []string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.addresses()).DeletedItems().GraphUser().ToGetRequestInformation(ctx,
		&sdkdirectory.DeletedItemsGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkdirectory.DeletedItemsGraphUserRequestBuilderGetQueryParameters{Select: sel, Top: new(pageSize)},
		}))
}

func (c *Client) deletedUserURL(ctx context.Context, id string, sel []string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.addresses()).DeletedItems().ByDirectoryObjectId(id).GraphUser().ToGetRequestInformation(ctx,
		&sdkdirectory.DeletedItemsItemGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkdirectory.DeletedItemsItemGraphUserRequestBuilderGetQueryParameters{Select: sel},
		}))
}

func (c *Client) restoreURL(ctx context.Context, id string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.addresses()).DeletedItems().ByDirectoryObjectId(id).
		Restore().ToPostRequestInformation(ctx, nil))
}

// Groups are read as bytes, and their addresses are written here: the SDK's packages
// for groups and for eligibilities of groups have 265,000 lines.

func (c *Client) roleGroupsURL() string {
	return c.root + "/groups?$filter=isAssignableToRole%20eq%20true&$select=id,displayName&$top=999"
}

func (c *Client) groupPartURL(id, part string) string {
	return c.root + "/groups/" + url.PathEscape(id) + "/" + part + "?$select=id&$top=999"
}

// groupEligiblesURL lists who may activate membership or ownership of a group:
// PIM for Groups.
func (c *Client) groupEligiblesURL(id string) string {
	return c.root + "/identityGovernance/privilegedAccess/group/eligibilitySchedules?$filter=groupId%20eq%20'" + url.PathEscape(quote(id)) + "'&$select=id,principalId"
}
