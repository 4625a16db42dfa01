package simulator

// Identifiers that are the same in every tenant, as Microsoft documents them.
const (
	graphAppID    = "00000003-0000-0000-c000-000000000000"
	cliToolsAppID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

	roleGlobalAdmin     = "62e90394-69f5-4237-9190-012177145e10"
	roleGlobalReader    = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	roleUserAdmin       = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	rolePrivAuthAdmin   = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	rolePrivRoleAdmin   = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	roleAuthAdmin       = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
	roleHelpdesk        = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	roleGroupsAdmin     = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
	roleAppAdmin        = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	roleCloudAppAdmin   = "158c047a-c907-4556-b7ef-446551a6b5f7"
	roleDirReaders      = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	roleDirWriters      = "9360feb5-f418-4baa-8175-e2a00bac4301"
	roleGuestInviter    = "95e79109-95c0-4d8e-aee3-d01accf2d47b"
	roleMessageReader   = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"
	roleReportsReader   = "4a5d8f65-41da-4de4-8968-e035b65339cf"
	roleUsageReader     = "75934031-6c7e-415a-99d7-48dbd49e875e"
	rolePasswordAdmin   = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	roleExchangeAdmin   = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	roleSharePointAdmin = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
	roleTeamsAdmin      = "69091246-20e8-4a56-aa4d-066075b2a7a8"
	roleSecurityAdmin   = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	roleSecurityReader  = "5d6b6bb7-de71-4623-b4af-96380a352509"
	roleBillingAdmin    = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
	roleLicenseAdmin    = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	roleIntuneAdmin     = "3a2c62db-5318-420d-8d74-23affee5d9d5"
)

// named pairs an identifier with its name.
type named struct{ id, name string }

// builtInRoles are the directory roles that every tenant has; of the real list
// those that matter to users, and some others.
func builtInRoles() []named {
	return []named{
		{roleGlobalAdmin, "Global Administrator"},
		{roleGlobalReader, "Global Reader"},
		{roleUserAdmin, "User Administrator"},
		{rolePrivAuthAdmin, "Privileged Authentication Administrator"},
		{rolePrivRoleAdmin, "Privileged Role Administrator"},
		{roleAuthAdmin, "Authentication Administrator"},
		{roleHelpdesk, "Helpdesk Administrator"},
		{roleGroupsAdmin, "Groups Administrator"},
		{roleAppAdmin, "Application Administrator"},
		{roleCloudAppAdmin, "Cloud Application Administrator"},
		{roleDirReaders, "Directory Readers"},
		{roleDirWriters, "Directory Writers"},
		{roleGuestInviter, "Guest Inviter"},
		{roleMessageReader, "Message Center Reader"},
		{roleReportsReader, "Reports Reader"},
		{roleUsageReader, "Usage Summary Reports Reader"},
		{rolePasswordAdmin, "Password Administrator"},
		{roleExchangeAdmin, "Exchange Administrator"},
		{roleSharePointAdmin, "SharePoint Administrator"},
		{roleTeamsAdmin, "Teams Administrator"},
		{roleSecurityAdmin, "Security Administrator"},
		{roleSecurityReader, "Security Reader"},
		{roleBillingAdmin, "Billing Administrator"},
		{roleLicenseAdmin, "License Administrator"},
		{roleIntuneAdmin, "Intune Administrator"},
	}
}

// graphAppRoles are application permissions of Microsoft Graph.
func graphAppRoles() []named {
	return []named{
		{"741f803b-c850-494e-b5df-cde7c675a1ca", "User.ReadWrite.All"},
		{"df021288-bdef-4463-88db-98f22de89214", "User.Read.All"},
		{"eccc023d-eccf-4e7b-9683-8813ab36cecc", "User.DeleteRestore.All"},
		{"3011c876-62b7-4ada-afa2-506cbbecc68c", "User.EnableDisableAccount.All"},
		{"cc117bb9-00cf-4eb8-b580-ea2a878fe8f7", "User-PasswordProfile.ReadWrite.All"},
		{"dbb9058a-0e50-45d7-ae91-66909b5d4664", "Domain.Read.All"},
		{"7e05723c-0bb0-42da-be95-ae9f08a6e53c", "Domain.ReadWrite.All"},
		{"7ab1d382-f21e-4acd-a863-ba3e13f7da61", "Directory.Read.All"},
		{"19dbc75e-c2e2-444c-a770-ec69d8559fc7", "Directory.ReadWrite.All"},
		{"9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "Application.Read.All"},
		{"1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "Application.ReadWrite.All"},
		{"06b708a9-e830-4db3-a914-8e69da51d44f", "AppRoleAssignment.ReadWrite.All"},
		{"483bed4a-2ad3-4361-a73b-c83ccdbdc53c", "RoleManagement.Read.Directory"},
		{"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", "RoleManagement.ReadWrite.Directory"},
		{"98830695-27a2-44f7-8c18-0c3ebc9698f6", "GroupMember.Read.All"},
		{"5b567255-7703-4780-807c-7be8301ae99b", "Group.Read.All"},
		{"498476ce-e0fe-48b0-b801-37ba7e2685c6", "Organization.Read.All"},
		{"40f97065-369a-49f4-947c-6a255697ae91", "MailboxSettings.Read"},
		{"edb419d6-7edc-42a3-9345-509bfdf5d87c", "PrivilegedEligibilitySchedule.Read.AzureADGroup"},
		{"b0afded3-3588-46d8-8b3d-9842eff778da", "AuditLog.Read.All"},
	}
}

// graphScopes are delegated permissions of Microsoft Graph.
func graphScopes() []named {
	return []named{
		{"e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User.Read"},
		{"a154be20-db9c-4678-8ab7-66f6cc099a59", "User.Read.All"},
		{"204e0828-b5ca-4ad8-b9f3-f32a958e7cc4", "User.ReadWrite.All"},
		{"4bb440cd-2cf2-4f90-8004-aa2acd2537c5", "User.DeleteRestore.All"},
		{"2f9ee017-59c1-4f1d-9472-bd5529a7b311", "Domain.Read.All"},
		{"0e263e50-5827-48a4-b97c-d940288653c7", "Directory.AccessAsUser.All"},
		{"06da0dbc-49e2-44d2-8312-53f166ab848a", "Directory.Read.All"},
		{"c5366453-9fb0-48a5-a156-24f0c49a4b84", "Directory.ReadWrite.All"},
		{"c79f8feb-a9db-4090-85f9-90d820caa0eb", "Application.Read.All"},
		{"bdfbf15f-ee85-4955-8675-146e8e5296b5", "Application.ReadWrite.All"},
		{"84bccea3-f856-4a8a-967b-dbe0a3d53a64", "AppRoleAssignment.ReadWrite.All"},
		{"741c54c3-0c1e-44a1-818b-3f97ab4e8c83", "RoleManagement.Read.Directory"},
		{"d01b97e9-cbc0-49fe-810a-750afd5527a3", "RoleManagement.ReadWrite.Directory"},
		{"bc024368-1153-4739-b217-4326f2e966d0", "GroupMember.Read.All"},
		{"5f8c59db-677d-491f-a6b8-5f174b11ec1d", "Group.Read.All"},
		{"4908d5b9-3fb2-4b1e-9336-1888b7937185", "Organization.Read.All"},
		{"87f447af-9fa4-4c32-9dfa-4a57a73d18ce", "MailboxSettings.Read"},
		{"8f44f93d-ecef-46ae-a9bf-338508d44d6b", "PrivilegedEligibilitySchedule.Read.AzureADGroup"},
		{"e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20", "AuditLog.Read.All"},
		{"7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "offline_access"},
		{"37f7f235-527c-4136-accd-4a02d197296e", "openid"},
		{"14dad69e-099b-42c9-810b-d002981feec1", "profile"},
		{"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "email"},
	}
}

// sharedClients are applications of Microsoft's that every tenant knows without
// having registered them, so that a stock client can sign in.
func sharedClients() []named {
	return []named{
		{cliToolsAppID, "Microsoft Graph Command Line Tools"},
		{"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI"},
		{"1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell"},
		{"de8bc8b5-d9f9-48b1-a8ad-b748da725064", "Graph Explorer"},
		{"31359c7f-bd7e-475c-86db-fdb8c937548e", "PnP Management Shell"},
	}
}
