// Who acts: the function app and the gateway. They exist, with their roles, before what uses them starts.
// User-assigned, because the client id of a system-assigned identity is not known to a template.
import { managedIdentity, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string

@description('Part of the identities\' names. Another one makes new identities, and everything uses those.')
param generation string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-app-${suffix}${generation}'
  location: location
  tags: tags
}

resource gateway 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-gateway-${suffix}${generation}'
  location: location
  tags: tags
}

output app managedIdentity = {
  id: app.id
  clientId: app.properties.clientId
  principalId: app.properties.principalId
}

output gateway managedIdentity = {
  id: gateway.id
  clientId: gateway.properties.clientId
  principalId: gateway.properties.principalId
}
