// The database: account, container, and the only role that may read or write it.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags

@description('Name of the account; another one than before is how a restored account is taken into use.')
param accountName string

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

@description('Seven days of continuous backup are free of charge, thirty are not.')
@allowed(['Continuous7Days', 'Continuous30Days'])
param backupTier string

@description('Keeps copies in several availability zones of each region.')
param zoneRedundant bool

@description('Takes the account off the internet.')
param privateOnly bool

@description('Keeps the account, and so all data, from being deleted before the lock is taken away.')
param deleteLock bool

@description('Principal of the function app.')
param appPrincipalId string

var isServerless = mode == 'serverless'
// A serverless account has exactly one region.
var regions = isServerless || empty(secondaryLocation) ? [location] : [location, secondaryLocation]
var consistencyLevel = consistency != 'auto' ? consistency : length(regions) > 1 ? 'BoundedStaleness' : 'Strong'
// The least that Azure allows for several regions. Behind by more than this, writes are throttled.
var staleness = { maxStalenessPrefix: 100000, maxIntervalInSeconds: 300 }

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: accountName
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
        isZoneRedundant: zoneRedundant
      }
    ]
    enableAutomaticFailover: length(regions) > 1
    consistencyPolicy: union(
      { defaultConsistencyLevel: consistencyLevel },
      consistencyLevel == 'BoundedStaleness' ? staleness : {}
    )
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: backupTier }
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
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

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (deleteLock) {
  name: 'all-conversations'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'All conversations are in this account.' }
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

// The client reads the account before it opens the container. Public reports disagree on whether a role on the
// container is enough for that, so this one action, which shows no data, is granted on the account.
resource metadataRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-04-15' = {
  parent: account
  name: guid(account.id, 'conversations-metadata')
  properties: {
    roleName: 'Conversations metadata'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [{ dataActions: ['Microsoft.DocumentDB/databaseAccounts/readMetadata'] }]
  }
}

resource metadataAssignment 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: account
  name: guid(metadataRole.id, appPrincipalId)
  properties: {
    principalId: appPrincipalId
    roleDefinitionId: metadataRole.id
    scope: account.id
  }
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
output databaseName string = account::database.name
output containerName string = account::database::container.name
