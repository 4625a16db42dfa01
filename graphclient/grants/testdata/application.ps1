#Requires -Version 5.1
# hacsync: dedicated application for connection "midori"
#
# Windows PowerShell 5.1 or PowerShell 7. Written for Microsoft.Graph.Authentication 2.x.
# Gives the application 9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00 its permissions in this tenant. It was made
# elsewhere: it is neither made nor changed, and gets no certificate here.
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
    $application = '9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00'
    $graphApp = '00000003-0000-0000-c000-000000000000'
    $scopes = @('Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All')
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
    function Grant-Principal {
        param([string]$AppId)
        Set-Step -What "service principal of $AppId" -Seen { $state.principal = Get-Principal -AppId $AppId; $null -ne $state.principal } -Give { Add-Principal -AppId $AppId }
    }
    #
    # A permission of the application. Its ID differs between clouds, so it is looked up by name.
    function Grant-AppRole {
        param([string]$Name)
        $role = @($graph.appRoles | Where-Object { $_.value -eq $Name -and $_.allowedMemberTypes -contains 'Application' })
        if ($role.Count -eq 0) {
            throw "Microsoft Graph of this cloud has no application permission $Name."
        }
        $at = 'v1.0/servicePrincipals/' + $state.principal.id + '/appRoleAssignments'
        Set-Step -What $Name -Seen {
            @(Get-All -Uri $at | Where-Object { $_.appRoleId -eq $role[0].id -and $_.resourceId -eq $graph.id }).Count -gt 0
        } -Give {
            Invoke-Step -Method POST -Uri $at -Body @{
                principalId = $state.principal.id; resourceId = $graph.id; appRoleId = $role[0].id
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
        # 1  service principal: the application in this tenant
        $step = 'service principal'
        Grant-Principal -AppId $application
        # 2  User.ReadWrite.All: add, change, delete, restore users
        $step = 'User.ReadWrite.All'
        Grant-AppRole -Name 'User.ReadWrite.All'
        # 3  Domain.Read.All: list the domains and how they sign in
        $step = 'Domain.Read.All'
        Grant-AppRole -Name 'Domain.Read.All'
        # 4  RoleManagement.Read.Directory: know administrators, leave them alone
        $step = 'RoleManagement.Read.Directory'
        Grant-AppRole -Name 'RoleManagement.Read.Directory'
        # 5  GroupMember.Read.All: know groups that carry roles, leave their members alone
        $step = 'GroupMember.Read.All'
        Grant-AppRole -Name 'GroupMember.Read.All'
        # 6  MailboxSettings.Read: tell shared, room, equipment mailboxes
        $step = 'MailboxSettings.Read'
        Grant-AppRole -Name 'MailboxSettings.Read'
        Write-Host "Done. Application ID $application" -ForegroundColor Green
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
