// Everything the service needs in one Azure subscription, in the order in which it depends on itself.
targetScope = 'subscription'

// What it is, and whose.

@description('Name of the azd environment. Part of the resource group\'s name and of every tag.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Azure region of all resources. It must offer Flex Consumption and the chosen API Management tier.')
@minLength(1)
param location string

@description('E-mail address that API Management sends its notices to.')
@minLength(3)
param publisherEmail string

@description('Application (client) id of the Entra application that stands for this API. The preprovision hook sets it.')
@minLength(36)
@maxLength(36)
param entraApplicationId string

@description('Who answers for it: a tag of every resource. Empty: no tag.')
param owner string = ''

@description('Who pays for it: a tag of every resource. Empty: no tag.')
param costCenter string = ''

// How far it is shut, and how much it stands.

@description('Takes app, database and storage off the internet: a virtual network with private endpoints, which only the gateway enters. The gateway is then StandardV2, and the app is deployed from a machine in that network.')
param privateNetwork bool = false

@description('Spreads app, storage and database over the availability zones of the region. Choose before the first deployment.')
param zoneRedundant bool = false

@description('Keeps the database account from being deleted. Setting it needs Owner.')
param deleteLock bool = false

@description('Part of the names of the identities. Another one replaces them.')
@maxLength(8)
param identityGeneration string = ''

// The database.

@description('How Cosmos DB is paid for: per request in one region (serverless), or autoscaled. Choose before the first deployment.')
@allowed(['serverless', 'autoscale'])
param cosmosMode string = 'serverless'

@description('Second region of Cosmos DB, for failover. Only with autoscale; empty for none.')
param cosmosSecondaryLocation string = ''

@description('Highest throughput of the container in RU/s, only with autoscale. A tenth of it is billed when idle.')
@minValue(1000)
param cosmosMaxThroughput int = 1000

@description('What a read is sure to see: auto is Strong in one region and BoundedStaleness in two. Session halves the price of reads, and lists may lag between instances.')
@allowed(['auto', 'Strong', 'BoundedStaleness', 'Session'])
param cosmosConsistency string = 'auto'

@description('How far back the database can be restored. Thirty days cost money.')
@allowed(['Continuous7Days', 'Continuous30Days'])
param cosmosBackupTier string = 'Continuous7Days'

@description('Name of the database account. Empty: one of its own. Set it to take a restored account into use.')
@maxLength(44)
param cosmosAccountName string = ''

@description('Days after which what nobody writes any more is gone; 0 keeps everything.')
@minValue(0)
@maxValue(24855)
param retentionDays int = 0

// The app.

@description('Memory of one function app instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Requests that one instance serves at a time before another one is started.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 100

@description('Instances that are kept running and spare callers the cold start.')
@minValue(0)
@maxValue(1000)
param alwaysReadyInstances int = 0

@description('Most instances at a time: the ceiling of what a flood of requests can cost.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

// The gateway.

@description('API Management tier. A private network makes it StandardV2.')
@allowed(['BasicV2', 'StandardV2'])
param gatewaySku string = 'BasicV2'

@description('Units of the gateway.')
@minValue(1)
@maxValue(10)
param gatewayUnits int = 1

@description('Requests per minute that the gateway accepts from one user.')
@minValue(1)
param rateLimitPerMinute int = 300

@description('Requests per minute that the gateway accepts from one application without a user, whomever it acts for.')
@minValue(1)
param rateLimitPerApplication int = 6000

@description('Requests per minute that the gateway accepts from one address, whatever token they bear.')
@minValue(1)
param rateLimitPerAddress int = 6000

@description('Applications that may call, their (client) ids with commas in between. Empty: all of the directory.')
param clientApplicationIds string = ''

@description('Origins of web pages that may call, such as https://chat.contoso.com, with commas in between. Empty: none.')
param allowedOrigins string = ''

// Being told, and what it may cost.

@description('Who gets the alerts. Empty: the publisher.')
param alertEmail string = ''

@description('Asks for the service\'s health from three places every five minutes.')
param availabilityTest bool = false

@description('Gigabytes of logs a day, after which nothing more is logged until the next; -1 for no end.')
@minValue(-1)
param logDailyCapGb int = 1

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Cost of a month, in the currency of the bill, that somebody is told of; 0 for no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget was made, such as 2026-11-01. The preprovision hook sets it; empty: of this month.')
param budgetStartDate string = ''

var tags = union(
  { 'azd-env-name': environmentName },
  empty(owner) ? {} : { owner: owner },
  empty(costCenter) ? {} : { 'cost-center': costCenter }
)
var toBeTold = empty(alertEmail) ? publisherEmail : alertEmail
var suffix = uniqueString(subscription().id, environmentName, location)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: { location: location, tags: tags, suffix: suffix, generation: identityGeneration }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: { location: location, tags: tags, suffix: suffix }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    dailyCapGb: logDailyCapGb
    retentionDays: logRetentionDays
    publisherPrincipalIds: [identities.outputs.app.principalId, identities.outputs.gateway.principalId]
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    zoneRedundant: zoneRedundant
    privateOnly: privateNetwork
    ownerPrincipalId: identities.outputs.app.principalId
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    location: location
    tags: tags
    accountName: empty(cosmosAccountName) ? 'cosmos-${suffix}' : cosmosAccountName
    mode: cosmosMode
    secondaryLocation: cosmosSecondaryLocation
    maxThroughput: cosmosMaxThroughput
    consistency: cosmosConsistency
    backupTier: cosmosBackupTier
    retentionDays: retentionDays
    zoneRedundant: zoneRedundant
    privateOnly: privateNetwork
    deleteLock: deleteLock
    appPrincipalId: identities.outputs.app.principalId
  }
}

// Before the app, which reads its package through one of them.
module dataEndpoints 'modules/endpoints.bicep' = if (privateNetwork) {
  name: 'data-endpoints'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    subnetId: network!.outputs.endpointSubnetId
    services: [
      { group: 'blob', id: storage.outputs.id, zoneId: network!.outputs.zoneIds.blob }
      { group: 'Sql', id: cosmos.outputs.id, zoneId: network!.outputs.zoneIds.Sql }
    ]
  }
}

module functionApp 'modules/functionapp.bicep' = {
  name: 'functionapp'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    zoneRedundant: zoneRedundant
    identity: identities.outputs.app
    caller: identities.outputs.gateway
    entraApplicationId: entraApplicationId
    blobEndpoint: storage.outputs.blobEndpoint
    packageContainerUrl: storage.outputs.packageContainerUrl
    cosmosEndpoint: cosmos.outputs.endpoint
    cosmosDatabase: cosmos.outputs.databaseName
    cosmosContainer: cosmos.outputs.containerName
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstanceCount: maximumInstanceCount
  }
  dependsOn: [dataEndpoints]
}

module appEndpoint 'modules/endpoints.bicep' = if (privateNetwork) {
  name: 'app-endpoint'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    subnetId: network!.outputs.endpointSubnetId
    services: [{ group: 'sites', id: functionApp.outputs.id, zoneId: network!.outputs.zoneIds.sites }]
  }
}

module apim 'modules/apim.bicep' = {
  name: 'apim'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    // The only one of the two that can join a network.
    sku: privateNetwork ? 'StandardV2' : gatewaySku
    units: gatewayUnits
    subnetId: privateNetwork ? network!.outputs.gatewaySubnetId : ''
    publisherEmail: publisherEmail
    identity: identities.outputs.gateway
    entraApplicationId: entraApplicationId
    backendUrl: functionApp.outputs.url
    rateLimits: {
      user: rateLimitPerMinute
      application: rateLimitPerApplication
      address: rateLimitPerAddress
    }
    clientApplicationIds: clientApplicationIds
    allowedOrigins: allowedOrigins
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    applicationInsightsConnectionString: monitoring.outputs.connectionString
  }
}

module diagnostics 'modules/diagnostics.bicep' = {
  name: 'diagnostics'
  scope: group
  params: {
    workspaceId: monitoring.outputs.workspaceId
    functionAppName: functionApp.outputs.name
    gatewayName: apim.outputs.name
    cosmosAccountName: cosmos.outputs.name
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    email: toBeTold
    workspaceId: monitoring.outputs.workspaceId
    gatewayId: apim.outputs.id
    functionAppId: functionApp.outputs.id
    cosmosAccountId: cosmos.outputs.id
    maximumInstanceCount: maximumInstanceCount
  }
}

module availability 'modules/availability.bicep' = if (availabilityTest) {
  name: 'availability'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    gatewayUrl: apim.outputs.url
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    actionGroupId: alerts.outputs.actionGroupId
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: { location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: { amount: monthlyBudget, email: toBeTold, startDate: budgetStartDate }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_URL string = functionApp.outputs.url
output GATEWAY_URL string = apim.outputs.url
