// Where logs and traces go, who may write them, and how much of them there may be.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string

@description('Principals that publish telemetry.')
param publisherPrincipalIds string[]

@description('Gigabytes a day after which nothing more is logged until the next; -1 for no end.')
param dailyCapGb int

param retentionDays int

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    features: { disableLocalAuth: true }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in publisherPrincipalIds: {
    name: guid(applicationInsights.id, principalId, monitoringMetricsPublisher)
    scope: applicationInsights
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    }
  }
]

output workspaceId string = workspace.id
output applicationInsightsId string = applicationInsights.id
// Names the resource and where to send to; without a key that counts, since local authentication is off.
output connectionString string = applicationInsights.properties.ConnectionString
