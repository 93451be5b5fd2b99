# Finds or creates the Entra application that stands for this API, and tells azd its id.
# The reasons are in preprovision.sh, which does the same.
$ErrorActionPreference = 'Stop'

if ($env:ENTRA_APPLICATION_ID) {
    Write-Host "Entra application: $env:ENTRA_APPLICATION_ID"
    exit 0
}

function Invoke-Az([string[]] $Arguments, [int] $Attempts = 1) {
    for ($attempt = 1; ; $attempt++) {
        $output = & az @Arguments
        if ($LASTEXITCODE -eq 0) { return $output }
        if ($attempt -ge $Attempts) { throw "az $($Arguments[0]) failed" }
        Start-Sleep -Seconds 5
    }
}

# From a file, because Windows takes the quotes out of an argument.
function Invoke-Patch([string] $Url, [string] $BodyFile, [string[]] $Headers, [int] $Attempts = 1) {
    $arguments = @('rest', '--method', 'patch', '--url', $Url, '--body', "@$BodyFile", '--output', 'none', '--headers')
    Invoke-Az ($arguments + 'Content-Type=application/json' + $Headers) $Attempts
}

$tenantId = @('--query', 'tenantId', '--output', 'tsv')
$tenant = Invoke-Az (@('account', 'show', '--subscription', $env:AZURE_SUBSCRIPTION_ID) + $tenantId)
if ((Invoke-Az (@('account', 'show') + $tenantId)) -ne $tenant) { throw "Run this first: az login --tenant $tenant" }

$uniqueName = "conversations-api-$env:AZURE_ENV_NAME-$env:AZURE_SUBSCRIPTION_ID"
$cloud = Invoke-Az @('cloud', 'show', '--query', 'endpoints.microsoftGraphResourceId', '--output', 'tsv')
$graph = $cloud.TrimEnd('/') + '/v1.0'
$application = "$graph/applications(uniqueName='$uniqueName')"
$definition = Join-Path $PSScriptRoot 'entra-application.json'
$body = New-TemporaryFile

try {
    Invoke-Patch $application $definition @('Prefer=create-if-missing')
    $select = @('rest', '--method', 'get', '--url', ($application + '?$select=appId'), '--query', 'appId', '--output', 'tsv')
    $id = Invoke-Az $select 6
    Set-Content -Path $body -Value "{`"identifierUris`": [`"api://$id`"]}"
    Invoke-Patch $application $body @() 6
    Set-Content -Path $body -Value '{"displayName": "Conversations API"}'
    Invoke-Patch "$graph/servicePrincipals(appId='$id')" $body @('Prefer=create-if-missing') 6
}
finally {
    Remove-Item $body
}

azd env set ENTRA_APPLICATION_ID $id
if ($LASTEXITCODE -ne 0) { throw 'azd env set failed' }
Write-Host "Entra application: $id"
