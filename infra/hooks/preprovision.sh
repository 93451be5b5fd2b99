#!/bin/sh
# Finds or creates the Entra application that stands for this API, and tells azd its id.
#
# A known ENTRA_APPLICATION_ID is left alone: a pipeline needs no rights in the directory, and you
# can bring a registration of your own. Empty it to have the registration brought up to date.
set -eu

if [ -n "${ENTRA_APPLICATION_ID:-}" ]; then
    echo "Entra application: $ENTRA_APPLICATION_ID"
    exit 0
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
definition="$(dirname "$0")/entra-application.json"

# The directory takes some seconds until what was written can be read everywhere.
retry() {
    for _ in 1 2 3 4 5; do
        "$@" && return
        sleep 5
    done
    "$@"
}

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
