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
    $graphApp = '00000003-0000-0000-c000-000000000000'
    $scopes = @('Application.ReadWrite.All', 'User.Read.All', 'DelegatedPermissionGrant.ReadWrite.All', 'RoleManagement.ReadWrite.Directory')
    #
    function Invoke-Step {
        param([string]$Method, [string]$Uri, $Body, [hashtable]$Headers = @{})
        if ($null -eq $Body) {
            return Invoke-MgGraphRequest -Method $Method -Uri $Uri -Headers $Headers -OutputType PSObject
        }
        $json = ConvertTo-Json -InputObject $Body -Depth 10
        return Invoke-MgGraphRequest -Method $Method -Uri $Uri -Headers $Headers -Body $json -ContentType 'application/json' -OutputType PSObject
    }
    #
    # A list of something that is not known yet is empty.
    function Get-All {
        param([string]$Uri)
        $all = @()
        while ($Uri) {
            $page = Find-One -Uri $Uri
            if ($null -eq $page) { return $all }
            $all += @($page.value)
            $Uri = $page.'@odata.nextLink'
        }
        return $all
    }
    #
    # What is not there, or not known yet, is nothing.
    function Find-One {
        param([string]$Uri)
        try {
            return Invoke-Step -Method GET -Uri $Uri
        } catch {
            if ("$($_.ErrorDetails.Message) $($_.Exception.Message)" -match 'ResourceNotFound|NotFound') { return $null }
            throw
        }
    }
    #
    # One step: looks, gives what is missing, and looks until it is seen. What was made
    # a moment ago is not known everywhere yet, so it is tried for five minutes.
    $state = @{ made = [datetime]::MinValue; app = $null; principal = $null }
    function Set-Step {
        param([string]$What, [scriptblock]$Seen, [scriptblock]$Give)
        $until = (Get-Date).AddMinutes(5)
        $given = $false
        while (-not (& $Seen)) {
            if ((Get-Date) -gt $until) {
                throw "$What was given, but is not seen yet. Run the script again in some minutes."
            }
            if ($given) {
                Start-Sleep -Seconds 5
            } else {
                try {
                    $null = & $Give
                    $given = $true
                } catch {
                    $why = "$($_.ErrorDetails.Message) $($_.Exception.Message)"
                    $young = $state.made.AddMinutes(5) -gt (Get-Date)
                    if ($why -match 'already exists|already in use|conflicting object') {
                        $given = $true
                    } elseif ($young -and $why -match 'BadRequest|NotFound' -and $why -notmatch 'AsPerAppPolicy') {
                        Start-Sleep -Seconds 5
                    } else {
                        throw
                    }
                }
            }
        }
        Write-Host "[ok] $What" -ForegroundColor Green
    }
    #
    function Get-Principal {
        param([string]$AppId)
        return Find-One -Uri ("v1.0/servicePrincipals(appId='" + $AppId + "')")
    }
    function Add-Principal {
        param([string]$AppId)
        $null = Invoke-Step -Method POST -Uri 'v1.0/servicePrincipals' -Body @{ appId = $AppId }
        $state.made = Get-Date
    }
    #
    # A permission of the person: consent of this one account, not of the organisation.
    function Get-Consent {
        return @(Get-All -Uri ("v1.0/oauth2PermissionGrants?`$filter=clientId eq '" + $state.principal.id + "'") |
            Where-Object { $_.resourceId -eq $graph.id -and $_.consentType -eq 'Principal' -and $_.principalId -eq $person.id })
    }
    function Grant-Scope {
        param([string]$Name)
        Set-Step -What "$Name for $account" -Seen {
            @(@(Get-Consent) | ForEach-Object { $_.scope -split ' ' }) -contains $Name
        } -Give {
            $consent = @(Get-Consent)
            if ($consent.Count -eq 0) {
                Invoke-Step -Method POST -Uri 'v1.0/oauth2PermissionGrants' -Body @{
                    clientId = $state.principal.id; consentType = 'Principal'; principalId = $person.id; resourceId = $graph.id; scope = $Name
                }
            } else {
                Invoke-Step -Method PATCH -Uri ('v1.0/oauth2PermissionGrants/' + $consent[0].id) -Body @{
                    scope = ($consent[0].scope + ' ' + $Name).Trim()
                }
            }
        }
    }
    #
    # A directory role. One that includes it is as good.
    function Grant-Role {
        param([string]$Principal, [string]$Name, [string]$Id, [string[]]$Or)
        $good = @($Id) + @($Or)
        $at = 'v1.0/roleManagement/directory/roleAssignments'
        Set-Step -What "role $Name" -Seen {
            @(Get-All -Uri ($at + "?`$filter=principalId eq '" + $Principal + "'") |
                Where-Object { $_.directoryScopeId -eq '/' -and $good -contains $_.roleDefinitionId }).Count -gt 0
        } -Give {
            Invoke-Step -Method POST -Uri $at -Body @{
                principalId = $Principal; roleDefinitionId = $Id; directoryScopeId = '/'
            }
        }
    }
    #
    $step = 'module Microsoft.Graph.Authentication'
    $connected = $false
    $failed = $false
    try {
        $good = @(Get-Module -ListAvailable -Name Microsoft.Graph.Authentication |
            Where-Object { $_.Version -ge [version]'2.0.0' -and $_.Version -lt [version]'3.0.0' })
        if ($good.Count -eq 0) {
            throw 'It is not here. Install it with: Install-Module Microsoft.Graph.Authentication -Scope CurrentUser -MinimumVersion 2.0.0 -MaximumVersion 2.99.99 (Windows PowerShell 5.1 wants TLS 1.2 first, see the top of the script).'
        }
        Import-Module Microsoft.Graph.Authentication -MinimumVersion 2.0.0 -MaximumVersion 2.99.99
        $step = 'sign-in'
        Connect-MgGraph -TenantId $tenant -Environment Global -Scopes $scopes -ContextScope Process -NoWelcome
        $connected = $true
        $context = Get-MgContext
        # A tenant that is named by a domain was found by it: the sign-in has checked it.
        if ($tenant -match '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' -and $context.TenantId -ne $tenant) {
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
        Set-Step -What $step -Seen { $state.principal = Get-Principal -AppId $client; $null -ne $state.principal } -Give { Add-Principal -AppId $client }
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
        Grant-Role -Principal $person.id -Name 'Global Reader' -Id 'f2ef992c-3afb-46b9-b7cf-a126ee74c451' -Or @('62e90394-69f5-4237-9190-012177145e10', 'e8611ab8-c189-46e8-94e1-60213ab1f814', '5d6b6bb7-de71-4623-b4af-96380a352509')
        # 7  User.ReadWrite.All: add, change, delete, restore users
        $step = 'User.ReadWrite.All'
        Grant-Scope -Name 'User.ReadWrite.All'
        # 8  User Administrator: role of the account that writes
        $step = 'User Administrator'
        Grant-Role -Principal $person.id -Name 'User Administrator' -Id 'fe930be7-5e62-47db-91af-98c3a49a38b1' -Or @('62e90394-69f5-4237-9190-012177145e10')
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
