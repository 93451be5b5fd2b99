# Finds or creates the Entra application that stands for this API, and tells azd its id.
# The reasons are in preprovision.sh, which does the same.
$ErrorActionPreference = 'Stop'

if ($env:MONTHLY_BUDGET -and $env:MONTHLY_BUDGET -ne '0' -and -not $env:BUDGET_START_DATE) {
    azd env set BUDGET_START_DATE ([DateTime]::UtcNow.ToString('yyyy-MM-01'))
    if ($LASTEXITCODE -ne 0) { throw 'azd env set failed' }
}

if ($env:ENTRA_APPLICATION_ID) {
    Write-Host "Entra application: $env:ENTRA_APPLICATION_ID"
    exit 0
}

if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    throw 'The Azure CLI is missing. Install it: https://aka.ms/InstallAzureCLI'
}
if (-not $env:AZURE_SUBSCRIPTION_ID) {
    throw 'No subscription is chosen. Run this first: azd env set AZURE_SUBSCRIPTION_ID <its id>'
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
$definition = New-TemporaryFile
$body = New-TemporaryFile

$preauthorized = '[]'
if ($env:PREAUTHORIZE_AZURE_CLI -eq 'true') {
    $preauthorized = '[{"appId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "delegatedPermissionIds": ["95f6ee9f-88ce-44ae-ac5c-96d042b25643"]}]'
}
$text = Get-Content -Raw (Join-Path $PSScriptRoot 'entra-application.json')
Set-Content -Path $definition -Value $text.Replace('"preAuthorizedApplications": []', "`"preAuthorizedApplications`": $preauthorized")

try {
    # A deleted application keeps its unique name for thirty days, and the create would fail on it.
    $filter = "$graph/directory/deletedItems/microsoft.graph.application?`$count=true&`$filter=uniqueName%20eq%20'$uniqueName'"
    $deleted = & az rest --method get --url $filter --headers ConsistencyLevel=eventual --query 'value[0].id' --output tsv 2> $null
    if ($LASTEXITCODE -eq 0 -and $deleted) {
        throw "An application of this name was deleted and still holds it. Run this first: az rest --method delete --url $graph/directory/deletedItems/$deleted"
    }
    Invoke-Patch $application $definition @('Prefer=create-if-missing')
    $select = @('rest', '--method', 'get', '--url', ($application + '?$select=appId'), '--query', 'appId', '--output', 'tsv')
    $id = Invoke-Az $select 6
    Set-Content -Path $body -Value "{`"identifierUris`": [`"api://$id`"]}"
    Invoke-Patch $application $body @() 6
    Set-Content -Path $body -Value '{"displayName": "Conversations API"}'
    Invoke-Patch "$graph/servicePrincipals(appId='$id')" $body @('Prefer=create-if-missing') 6
}
finally {
    Remove-Item $body, $definition
}

azd env set ENTRA_APPLICATION_ID $id
if ($LASTEXITCODE -ne 0) { throw 'azd env set failed' }
Write-Host "Entra application: $id"
