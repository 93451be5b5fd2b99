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

@description('What a read is sure to see; auto is Strong in one region and BoundedStaleness in two.')
@allowed(['auto', 'Strong', 'BoundedStaleness', 'Session'])
param consistency string

@description('Days after which a document that nobody writes any more is gone; 0 keeps everything.')
param retentionDays int

@description('Principal of the function app.')
param appPrincipalId string

var isServerless = mode == 'serverless'
// A serverless account has exactly one region.
var regions = isServerless || empty(secondaryLocation) ? [location] : [location, secondaryLocation]
var consistencyLevel = consistency != 'auto' ? consistency : length(regions) > 1 ? 'BoundedStaleness' : 'Strong'
// The least that Azure allows for several regions. Behind by more than this, writes are throttled.
var staleness = { maxStalenessPrefix: 100000, maxIntervalInSeconds: 300 }

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
    consistencyPolicy: union(
      { defaultConsistencyLevel: consistencyLevel },
      consistencyLevel == 'BoundedStaleness' ? staleness : {}
    )
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
          // Lists walk one path, in its order. Everything else is read by id, so a metadata update
          // pays for no index.
          indexingPolicy: {
            indexingMode: 'consistent'
            includedPaths: [{ path: '/sort_key/?' }]
            excludedPaths: [{ path: '/*' }]
          }
          // Never absent: without a default, the time to live of a single document is ignored.
          defaultTtl: retentionDays > 0 ? retentionDays * 86400 : -1
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
          // A query needs both.
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed'
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
