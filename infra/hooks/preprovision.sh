#!/bin/sh
# Finds or creates the Entra application that stands for this API, and tells azd its id.
#
# A known ENTRA_APPLICATION_ID is left alone: a pipeline needs no rights in the directory, and you
# can bring a registration of your own. Empty it to have the registration brought up to date.
# PREAUTHORIZE_AZURE_CLI=true lets users get a token through the Azure CLI without being asked.
set -eu

# A budget begins with a month, and Azure does not let the first one be changed later.
if [ "${MONTHLY_BUDGET:-0}" != 0 ] && [ -z "${BUDGET_START_DATE:-}" ]; then
    azd env set BUDGET_START_DATE "$(date -u +%Y-%m-01)"
fi

if [ -n "${ENTRA_APPLICATION_ID:-}" ]; then
    echo "Entra application: $ENTRA_APPLICATION_ID"
    exit 0
fi

if ! command -v az > /dev/null; then
    echo "The Azure CLI is missing. Install it: https://aka.ms/InstallAzureCLI" >&2
    exit 1
fi
if [ -z "${AZURE_SUBSCRIPTION_ID:-}" ]; then
    echo "No subscription is chosen. Run this first: azd env set AZURE_SUBSCRIPTION_ID <its id>" >&2
    exit 1
fi
if ! az account show --output none; then
    echo "az is not signed in. Run this first: az login" >&2
    exit 1
fi

# The application belongs in the subscription's directory, whatever az is signed in to just now.
tenant="$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId --output tsv)"
if [ "$(az account show --query tenantId --output tsv)" != "$tenant" ]; then
    echo "Run this first: az login --tenant $tenant" >&2
    exit 1
fi

# By unique name, never by display name: anybody in the tenant can register a second "Conversations API".
unique_name="conversations-api-$AZURE_ENV_NAME-$AZURE_SUBSCRIPTION_ID"
graph="$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)"
graph="${graph%/}/v1.0"
application="$graph/applications(uniqueName='$unique_name')"
source="$(dirname "$0")/entra-application.json"
definition="$(mktemp)"
trap 'rm -f "$definition"' EXIT
if [ "${PREAUTHORIZE_AZURE_CLI:-false}" = true ]; then
    azure_cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46
    scope=95f6ee9f-88ce-44ae-ac5c-96d042b25643
    client="{\"appId\": \"$azure_cli\", \"delegatedPermissionIds\": [\"$scope\"]}"
    sed "s/\"preAuthorizedApplications\": \[\]/\"preAuthorizedApplications\": [$client]/" "$source" > "$definition"
else
    cp "$source" "$definition"
fi

# The directory takes some seconds until what was written can be read everywhere.
retry() {
    for _ in 1 2 3 4 5; do
        "$@" && return
        sleep 5
    done
    "$@"
}

# A deleted application keeps its unique name for thirty days, and the create would fail on it.
deleted="$(az rest --method get --headers ConsistencyLevel=eventual \
    --url "$graph/directory/deletedItems/microsoft.graph.application?\$count=true&\$filter=uniqueName%20eq%20'$unique_name'" \
    --query 'value[0].id' --output tsv 2> /dev/null || true)"
if [ -n "$deleted" ]; then
    echo "An application of this name was deleted and still holds it. Run this first:" >&2
    echo "az rest --method delete --url $graph/directory/deletedItems/$deleted" >&2
    exit 1
fi

az rest --method patch --url "$application" --body "@$definition" --output none \
    --headers Content-Type=application/json Prefer=create-if-missing
id="$(retry az rest --method get --url "$application?\$select=appId" --query appId --output tsv)"
retry az rest --method patch --url "$application" --output none \
    --headers Content-Type=application/json --body "{\"identifierUris\": [\"api://$id\"]}"
# Without a service principal in the tenant nobody gets a token for the application.
retry az rest --method patch --url "$graph/servicePrincipals(appId='$id')" --output none \
    --headers Content-Type=application/json Prefer=create-if-missing \
    --body '{"displayName": "Conversations API"}'

azd env set ENTRA_APPLICATION_ID "$id"
echo "Entra application: $id"
