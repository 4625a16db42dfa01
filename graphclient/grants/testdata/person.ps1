#Requires -Version 5.1
# hacsync: permissions for connection "midori"
#
# Windows PowerShell 5.1 or PowerShell 7. Written for Microsoft.Graph.Authentication 2.x.
# Safe to run twice: what is there already stays. No secret is in it, and none is made.
# Run it as Global Administrator, or as Privileged Role Administrator together with
# Application Administrator. With PIM, activate the roles first.
#
# If the module is missing:
#   [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
#   Install-Module Microsoft.Graph.Authentication -Scope CurrentUser -MinimumVersion 2.0.0 -MaximumVersion 2.99.99
#
# No line is empty down to the last one, so that it can be pasted as well.
& {
    $ErrorActionPreference = 'Stop'
    $tenant = '5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10'
    $account = 't.mori@midorisample.onmicrosoft.com'
    $client = '14d82eec-204b-4c2f-b7e8-296a70dab67e'
    $application = ''
    $graphApp = '00000003-0000-0000-c000-000000000000'
    $scopes = @('Application.ReadWrite.All', 'User.Read.All', 'DelegatedPermissionGrant.ReadWrite.All', 'RoleManagement.ReadWrite.Directory')
    #
    function Invoke-Step {
        param([string]$Method, [string]$Uri, $Body)
        if ($null -eq $Body) {
            return Invoke-MgGraphRequest -Method $Method -Uri $Uri -OutputType PSObject
        }
        $json = ConvertTo-Json -InputObject $Body -Depth 10
        return Invoke-MgGraphRequest -Method $Method -Uri $Uri -Body $json -ContentType 'application/json' -OutputType PSObject
    }
    #
    function Get-All {
        param([string]$Uri)
        $all = @()
        while ($Uri) {
            $page = Invoke-Step -Method GET -Uri $Uri
            $all += @($page.value)
            $Uri = $page.'@odata.nextLink'
        }
        return $all
    }
    #
    # A grant can take a moment to be seen: it is read back for up to a minute.
    function Confirm-Step {
        param([string]$What, [scriptblock]$Seen)
        foreach ($try in 1..12) {
            if (& $Seen) {
                Write-Host "[ok] $What" -ForegroundColor Green
                return
            }
            Start-Sleep -Seconds 5
        }
        throw "$What was given, but is not seen yet. Run the script again in some minutes."
    }
    #
    function Get-Principal {
        param([string]$AppId)
        $found = @(Get-All -Uri ("v1.0/servicePrincipals?`$filter=appId eq '" + $AppId + "'"))
        if ($found.Count -gt 0) {
            return $found[0]
        }
        return Invoke-Step -Method POST -Uri 'v1.0/servicePrincipals' -Body @{ appId = $AppId }
    }
    #
    # A permission of the person: consent of this one account, not of the organisation.
    function Get-Consent {
        return @(Get-All -Uri ("v1.0/oauth2PermissionGrants?`$filter=clientId eq '" + $clientPrincipal.id + "'") |
            Where-Object { $_.resourceId -eq $graph.id -and $_.consentType -eq 'Principal' -and $_.principalId -eq $person.id })
    }
    function Grant-Scope {
        param([string]$Name)
        $consent = @(Get-Consent)
        if ($consent.Count -eq 0) {
            $null = Invoke-Step -Method POST -Uri 'v1.0/oauth2PermissionGrants' -Body @{
                clientId = $clientPrincipal.id; consentType = 'Principal'; principalId = $person.id; resourceId = $graph.id; scope = $Name
            }
        } elseif (-not (@($consent[0].scope -split ' ') -contains $Name)) {
            $null = Invoke-Step -Method PATCH -Uri ('v1.0/oauth2PermissionGrants/' + $consent[0].id) -Body @{
                scope = ($consent[0].scope + ' ' + $Name).Trim()
            }
        }
        Confirm-Step -What "$Name for $account" -Seen { @(@(Get-Consent) | ForEach-Object { $_.scope -split ' ' }) -contains $Name }
    }
    #
    # A directory role of the person. One that includes it is as good.
    function Get-Role {
        return @(Get-All -Uri ("v1.0/roleManagement/directory/roleAssignments?`$filter=principalId eq '" + $person.id + "'") |
            Where-Object { $_.directoryScopeId -eq '/' } | ForEach-Object { $_.roleDefinitionId })
    }
    function Grant-Role {
        param([string]$Name, [string]$Id, [string[]]$Or)
        $good = @($Id) + @($Or)
        if (-not (@(Get-Role) | Where-Object { $good -contains $_ })) {
            $null = Invoke-Step -Method POST -Uri 'v1.0/roleManagement/directory/roleAssignments' -Body @{
                principalId = $person.id; roleDefinitionId = $Id; directoryScopeId = '/'
            }
        }
        Confirm-Step -What "role $Name of $account" -Seen { @(@(Get-Role) | Where-Object { $good -contains $_ }).Count -gt 0 }
    }
    #
    # A permission of the dedicated application. Its ID differs between clouds, so it is looked up by name.
    function Grant-AppRole {
        param([string]$Name)
        $role = @($graph.appRoles | Where-Object { $_.value -eq $Name -and $_.allowedMemberTypes -contains 'Application' })
        if ($role.Count -eq 0) {
            throw "Microsoft Graph of this cloud has no application permission $Name."
        }
        $seen = {
            @(Get-All -Uri ('v1.0/servicePrincipals/' + $appPrincipal.id + '/appRoleAssignments') |
                Where-Object { $_.appRoleId -eq $role[0].id -and $_.resourceId -eq $graph.id }).Count -gt 0
        }
        if (-not (& $seen)) {
            $null = Invoke-Step -Method POST -Uri ('v1.0/servicePrincipals/' + $appPrincipal.id + '/appRoleAssignments') -Body @{
                principalId = $appPrincipal.id; resourceId = $graph.id; appRoleId = $role[0].id
            }
        }
        Confirm-Step -What "$Name for application $application" -Seen $seen
    }
    #
    $step = 'module Microsoft.Graph.Authentication'
    $connected = $false
    $failed = $false
    try {
        Import-Module Microsoft.Graph.Authentication -MinimumVersion 2.0.0 -MaximumVersion 2.99.99
        $step = 'sign-in'
        Connect-MgGraph -TenantId $tenant -Environment Global -Scopes $scopes -ContextScope Process -NoWelcome
        $connected = $true
        $context = Get-MgContext
        if ($context.TenantId -ne $tenant) {
            throw "Signed in to tenant $($context.TenantId). This script is for $tenant."
        }
        $short = @($scopes | Where-Object { $context.Scopes -notcontains $_ })
        if ($short.Count -gt 0) {
            throw "The sign-in lacks $($short -join ', ')."
        }
        Write-Host "[ok] signed in as $($context.Account)" -ForegroundColor Green
        $step = 'Microsoft Graph'
        $graph = Get-Principal -AppId $graphApp
        $step = "account $account"
        $person = Invoke-Step -Method GET -Uri ('v1.0/users/' + [uri]::EscapeDataString($account) + '?$select=id,userPrincipalName')
        $step = "application $client"
        $clientPrincipal = Get-Principal -AppId $client
        # 1  User.Read.All: read every user of the tenant
        $step = 'User.Read.All'
        Grant-Scope -Name 'User.Read.All'
        # 2  Domain.Read.All: list the domains and how they sign in
        $step = 'Domain.Read.All'
        Grant-Scope -Name 'Domain.Read.All'
        # 3  Organization.Read.All: name of the tenant, shown at the top
        $step = 'Organization.Read.All'
        Grant-Scope -Name 'Organization.Read.All'
        # 4  RoleManagement.Read.Directory: know administrators, leave them alone
        $step = 'RoleManagement.Read.Directory'
        Grant-Scope -Name 'RoleManagement.Read.Directory'
        # 5  GroupMember.Read.All: know groups that carry roles, leave their members alone
        $step = 'GroupMember.Read.All'
        Grant-Scope -Name 'GroupMember.Read.All'
        # 6  Global Reader: role of the account that reads
        $step = 'Global Reader'
        Grant-Role -Name 'Global Reader' -Id 'f2ef992c-3afb-46b9-b7cf-a126ee74c451' -Or @('62e90394-69f5-4237-9190-012177145e10', 'e8611ab8-c189-46e8-94e1-60213ab1f814', '5d6b6bb7-de71-4623-b4af-96380a352509')
        # 7  User.ReadWrite.All: add, change, delete, restore users
        $step = 'User.ReadWrite.All'
        Grant-Scope -Name 'User.ReadWrite.All'
        # 8  User Administrator: role of the account that writes
        $step = 'User Administrator'
        Grant-Role -Name 'User Administrator' -Id 'fe930be7-5e62-47db-91af-98c3a49a38b1' -Or @('62e90394-69f5-4237-9190-012177145e10')
        Write-Host 'Done. hacsync shows what it sees.' -ForegroundColor Green
    } catch {
        $failed = $true
        $text = "$($_.ErrorDetails.Message) $($_.Exception.Message)"
        $code = ''
        if ($text -match '"code"\s*:\s*"([^"]+)"') { $code = $Matches[1] }
        $request = ''
        if ($text -match 'request-id"?\s*:\s*"?([0-9A-Fa-f-]{36})') { $request = $Matches[1] }
        Write-Host "[x ] $step  code $code  request-id $request" -ForegroundColor Red
        Write-Host $_.Exception.Message -ForegroundColor Red
    } finally {
        if ($connected) { $null = Disconnect-MgGraph }
    }
    # Pasted into a window, exit would close it.
    if ($failed -and $PSCommandPath) { exit 1 }
}
