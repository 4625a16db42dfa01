# Registers hacsync worker as a scheduled task. Run it in Windows PowerShell 5.1 or later, as an administrator, from the
# folder that has hacsync-worker.xml, hacsync.exe and identity.txt (the file with which the connection was saved).
# Nothing is started before its data is closed to everybody but the task, SYSTEM and administrators.
#Requires -Version 5.1
#Requires -RunAsAdministrator
param(
    [string]$Source = $PSScriptRoot,
    [string]$Program = 'C:\Program Files\hacsync',
    [string]$Data = 'C:\ProgramData\hacsync'
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

function Confirm-File([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) {
        throw "There is no $Path. Put hacsync.exe, hacsync-worker.xml and identity.txt into $Source."
    }
}

Confirm-File (Join-Path $Source 'hacsync.exe')
Confirm-File (Join-Path $Source 'hacsync-worker.xml')

# The program: everybody may run it, nobody but administrators may change it.
New-Item -ItemType Directory -Force -Path $Program | Out-Null
Copy-Item -LiteralPath (Join-Path $Source 'hacsync.exe') -Destination $Program -Force

# The data: state and identity. S-1-5-19 is LOCAL SERVICE, S-1-5-18 SYSTEM, S-1-5-32-544 the administrators;
# numbers, because their names differ with the language of Windows.
New-Item -ItemType Directory -Force -Path $Data | Out-Null
& icacls.exe $Data /inheritance:r /grant:r '*S-1-5-19:(OI)(CI)M' '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
if ($LASTEXITCODE -ne 0) {
    throw "The rights of $Data could not be set (icacls $LASTEXITCODE). Nothing was registered."
}
$identity = Join-Path $Data 'identity.txt'
if (-not (Test-Path -LiteralPath $identity)) {
    Confirm-File (Join-Path $Source 'identity.txt')
    Copy-Item -LiteralPath (Join-Path $Source 'identity.txt') -Destination $identity
}

$xml = Get-Content -LiteralPath (Join-Path $Source 'hacsync-worker.xml') -Raw
$xml = $xml.Replace('C:\Program Files\hacsync', $Program).Replace('C:\ProgramData\hacsync', $Data)
$xml = $xml.Replace('C:/ProgramData/hacsync', $Data.Replace('\', '/'))
Register-ScheduledTask -TaskPath '\hacsync\' -TaskName 'worker' -Xml $xml -Force | Out-Null
Start-ScheduledTask -TaskPath '\hacsync\' -TaskName 'worker'

Start-Sleep -Seconds 5
$task = Get-ScheduledTask -TaskPath '\hacsync\' -TaskName 'worker'
if ($task.State -ne 'Running') {
    $result = (Get-ScheduledTaskInfo -TaskPath '\hacsync\' -TaskName 'worker').LastTaskResult
    throw "The worker is registered, but does not run (result $result). Look at $Data\worker.json."
}
Write-Host "The worker runs. Its log is $Data\worker.json; http://127.0.0.1:9464/readyz says whether it is well."
