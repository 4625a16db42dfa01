package graphclient

import (
	"context"
	"net/url"
	"strings"

	kiota "github.com/microsoft/kiota-abstractions-go"
	sdkdirectory "github.com/microsoftgraph/msgraph-sdk-go/directory"
	sdkdomains "github.com/microsoftgraph/msgraph-sdk-go/domains"
	sdkorganization "github.com/microsoftgraph/msgraph-sdk-go/organization"
	sdkroles "github.com/microsoftgraph/msgraph-sdk-go/rolemanagement"
	sdkusers "github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/hacsync/hacsync/sync/problem"
)

// pageSize is the largest page of users that Graph gives.
const pageSize int32 = 999

// The permissions that reads rest on, as the words of a 403 name them.
const (
	needUsers   = "User.Read.All"
	needDomains = "Domain.Read.All"
	needTenant  = "Organization.Read.All"
	needRoles   = "RoleManagement.Read.Directory"
	needGroups  = "GroupMember.Read.All"
	needMailbox = "MailboxSettings.Read"
	// needJoin is given by whoever wants eligible members protected too: nothing
	// rests on it.
	needJoin = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
)

// noAdapter stands where the SDK's builders want something that sends: only
// addresses are taken from them, and none of its methods is ever called.
type noAdapter struct{ kiota.RequestAdapter }

// base are the path parameters that the SDK's builders begin with.
func (c *Client) base() map[string]string { return map[string]string{"baseurl": c.root} }

// address is the absolute address that an SDK builder made, in the spelling
// that Graph documents: the SDK writes %24select for $select, and the alias
// graph.user for microsoft.graph.user.
func address(info *kiota.RequestInformation, err error) (string, error) {
	if err == nil {
		var u *url.URL
		if u, err = info.GetUri(); err == nil {
			return strings.NewReplacer("?%24", "?$", "&%24", "&$", "/graph.user", "/microsoft.graph.user").Replace(u.String()), nil
		}
	}
	return "", problem.Wrap(err, problem.Internal, problem.Args{"what": "address of a request"})
}

func (c *Client) organizationURL(ctx context.Context) (string, error) {
	return address(sdkorganization.NewOrganizationRequestBuilderInternal(c.base(), noAdapter{}).ToGetRequestInformation(ctx,
		&sdkorganization.OrganizationRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkorganization.OrganizationRequestBuilderGetQueryParameters{
				Select: []string{"id", "displayName", "onPremisesSyncEnabled"},
			},
		}))
}

func (c *Client) domainsURL(ctx context.Context) (string, error) {
	return address(sdkdomains.NewDomainsRequestBuilderInternal(c.base(), noAdapter{}).ToGetRequestInformation(ctx, nil))
}

// referencesURL lists what else uses a domain, cast to one type.
func (c *Client) referencesURL(ctx context.Context, domain, kind string) (string, error) {
	at, err := address(sdkdomains.NewDomainsRequestBuilderInternal(c.base(), noAdapter{}).ByDomainId(domain).
		DomainNameReferences().ToGetRequestInformation(ctx, nil))
	return at + "/" + kind, err
}

// usersURL lists users; a filter makes it an advanced query, which needs
// $count=true and the header of eventual.
func (c *Client) usersURL(ctx context.Context, sel []string, filter string) (string, error) {
	q := &sdkusers.UsersRequestBuilderGetQueryParameters{Select: sel, Top: new(pageSize)}
	if filter != "" {
		q.Filter, q.Count = new(filter), new(true)
	}
	return address(sdkusers.NewUsersRequestBuilderInternal(c.base(), noAdapter{}).ToGetRequestInformation(ctx,
		&sdkusers.UsersRequestBuilderGetRequestConfiguration{QueryParameters: q}))
}

func (c *Client) userCountURL(ctx context.Context) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.base(), noAdapter{}).Count().ToGetRequestInformation(ctx, nil))
}

// deltaNowURL starts a delta from this moment, without the past.
func (c *Client) deltaNowURL() string { return c.root + "/users/delta?$select=id&$deltatoken=latest" }

func (c *Client) userURL(ctx context.Context, idOrUPN string, sel []string) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.base(), noAdapter{}).ByUserId(idOrUPN).ToGetRequestInformation(ctx,
		&sdkusers.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkusers.UserItemRequestBuilderGetQueryParameters{Select: sel},
		}))
}

func (c *Client) deleteUserURL(ctx context.Context, id string) (string, error) {
	return address(sdkusers.NewUsersRequestBuilderInternal(c.base(), noAdapter{}).ByUserId(id).ToDeleteRequestInformation(ctx, nil))
}

func (c *Client) purposeURL(ctx context.Context, id string) (string, error) {
	at, err := address(sdkusers.NewUsersRequestBuilderInternal(c.base(), noAdapter{}).ByUserId(id).
		MailboxSettings().ToGetRequestInformation(ctx, nil))
	return at + "/userPurpose", err
}

func (c *Client) deletedUsersURL(ctx context.Context, sel []string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.base(), noAdapter{}).DeletedItems().GraphUser().ToGetRequestInformation(ctx,
		&sdkdirectory.DeletedItemsGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkdirectory.DeletedItemsGraphUserRequestBuilderGetQueryParameters{Select: sel, Top: new(pageSize)},
		}))
}

func (c *Client) deletedUserURL(ctx context.Context, id string, sel []string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.base(), noAdapter{}).DeletedItems().ByDirectoryObjectId(id).GraphUser().ToGetRequestInformation(ctx,
		&sdkdirectory.DeletedItemsItemGraphUserRequestBuilderGetRequestConfiguration{
			QueryParameters: &sdkdirectory.DeletedItemsItemGraphUserRequestBuilderGetQueryParameters{Select: sel},
		}))
}

func (c *Client) restoreURL(ctx context.Context, id string) (string, error) {
	return address(sdkdirectory.NewDirectoryRequestBuilderInternal(c.base(), noAdapter{}).DeletedItems().ByDirectoryObjectId(id).
		Restore().ToPostRequestInformation(ctx, nil))
}

func (c *Client) roleAssignmentsURL(ctx context.Context) (string, error) {
	return address(sdkroles.NewRoleManagementRequestBuilderInternal(c.base(), noAdapter{}).Directory().RoleAssignments().ToGetRequestInformation(ctx, nil))
}

func (c *Client) roleEligibilitiesURL(ctx context.Context) (string, error) {
	return address(sdkroles.NewRoleManagementRequestBuilderInternal(c.base(), noAdapter{}).Directory().RoleEligibilitySchedules().ToGetRequestInformation(ctx, nil))
}

// Groups are read as bytes and their addresses written out: the SDK's package
// for them has 166,000 lines.

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
