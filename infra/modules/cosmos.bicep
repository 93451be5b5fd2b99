// The database: account, container, and the only role that may read or write it.
param location string
param tags object
param suffix string

@allowed(['serverless', 'autoscale'])
param mode string

@description('Second region; only with autoscale, empty for none.')
param secondaryLocation string

@description('Highest throughput in RU/s; only with autoscale.')
param maxThroughput int

@description('Principal of the function app.')
param appPrincipalId string

var isServerless = mode == 'serverless'
// A serverless account has exactly one region.
var regions = isServerless || empty(secondaryLocation) ? [location] : [location, secondaryLocation]

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: 'cosmos-${suffix}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    locations: [
      for (region, priority) in regions: {
        locationName: region
        failoverPriority: priority
        isZoneRedundant: !isServerless
      }
    ]
    enableAutomaticFailover: length(regions) > 1
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: 'Continuous7Days' }
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
  }

  resource database 'sqlDatabases' = {
    name: 'conversations'
    properties: { resource: { id: 'conversations' } }

    resource container 'containers' = {
      name: 'conversations'
      properties: {
        options: isServerless ? {} : { autoscaleSettings: { maxThroughput: maxThroughput } }
        resource: {
          id: 'conversations'
          // Version 1 hashes only the first 101 bytes, and a key may be longer.
          partitionKey: { kind: 'Hash', version: 2, paths: ['/isolation_key'] }
          // Nothing is queried: every access is a point operation. The mode stays 'consistent'
          // because 'none' would rule out a time to live.
          indexingPolicy: {
            indexingMode: 'consistent'
            includedPaths: []
            excludedPaths: [{ path: '/*' }]
          }
          // Nothing expires, unless a document says so itself.
          defaultTtl: -1
        }
      }
    }
  }
}

var containerScope = '${account.id}/dbs/${account::database.name}/colls/${account::database::container.name}'

resource role 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-04-15' = {
  parent: account
  name: guid(account.id, 'conversations-app')
  properties: {
    roleName: 'Conversations app'
    type: 'CustomRole'
    assignableScopes: [containerScope]
    permissions: [
      {
        dataActions: [
          'Microsoft.DocumentDB/databaseAccounts/readMetadata'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read'
          // There is no action for a patch; replacing is what it is checked as.
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/replace'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/delete'
        ]
      }
    ]
  }
}

resource assignment 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: account
  name: guid(role.id, appPrincipalId)
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: role.id
    scope: containerScope
  }
}

output endpoint string = account.properties.documentEndpoint
output databaseName string = account::database.name
output containerName string = account::database::container.name
