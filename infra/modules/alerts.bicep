// Who is told, and of what. What each one means and what to do stands in docs/deployment.md, by the same names.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string

@description('Who is told.')
param email string

param workspaceId string
param gatewayId string
param functionAppId string
param cosmosAccountId string

@description('Ceiling of instances; told of at four fifths.')
param maximumInstanceCount int

// Each query returns rows when something is wrong, and nothing otherwise. Severity 1 wakes somebody.
var queries = {
  'fast-burn': { severity: 1, every: 'PT5M', window: 'PT1H', text: loadTextContent('../queries/fast-burn.kql') }
  'slow-burn': { severity: 2, every: 'PT30M', window: 'PT6H', text: loadTextContent('../queries/slow-burn.kql') }
  'gateway-errors': { severity: 2, every: 'PT5M', window: 'PT5M', text: loadTextContent('../queries/gateway-errors.kql') }
  failures: { severity: 2, every: 'PT5M', window: 'PT5M', text: loadTextContent('../queries/failures.kql') }
  slow: { severity: 3, every: 'PT15M', window: 'PT15M', text: loadTextContent('../queries/slow.kql') }
  unauthorized: { severity: 3, every: 'PT5M', window: 'PT5M', text: loadTextContent('../queries/unauthorized.kql') }
  'past-the-gateway': { severity: 1, every: 'PT5M', window: 'PT5M', text: loadTextContent('../queries/past-the-gateway.kql') }
  'log-cap': { severity: 2, every: 'PT15M', window: 'PT15M', text: loadTextContent('../queries/log-cap.kql') }
}

var metrics = {
  'database-busy': {
    resource: cosmosAccountId
    namespace: 'Microsoft.DocumentDB/databaseAccounts'
    metric: 'NormalizedRUConsumption'
    aggregation: 'Maximum'
    threshold: 90
    dimensions: []
  }
  'database-throttles': {
    resource: cosmosAccountId
    namespace: 'Microsoft.DocumentDB/databaseAccounts'
    metric: 'TotalRequests'
    aggregation: 'Count'
    threshold: 100
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
  }
  'gateway-busy': {
    resource: gatewayId
    namespace: 'Microsoft.ApiManagement/service'
    metric: 'CpuPercent_Gateway'
    aggregation: 'Average'
    threshold: 80
    dimensions: []
  }
  'instances-near-ceiling': {
    resource: functionAppId
    namespace: 'Microsoft.Web/sites'
    metric: 'InstanceCount'
    aggregation: 'Maximum'
    threshold: maximumInstanceCount * 8 / 10
    dimensions: []
  }
}

// Changes of what keeps strangers out. Every deployment makes some of them too.
var lockChanges = [
  'Microsoft.Web/sites/config/write'
  'Microsoft.DocumentDB/databaseAccounts/write'
  'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments/write'
  'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions/write'
  'Microsoft.ApiManagement/service/policies/write'
  'Microsoft.ApiManagement/service/apis/policies/write'
  'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
  'Microsoft.Authorization/roleAssignments/write'
  'Microsoft.Authorization/locks/delete'
]

var lockChangeConditions = [for operation in lockChanges: { field: 'operationName', equals: operation }]

var watchedGroup = resourceGroup().id
var watchedSubscription = subscription().id

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'convers-api'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for query in items(queries): {
    name: '${query.key}-${suffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: query.key
      description: query.value.text
      enabled: true
      severity: query.value.severity
      scopes: [workspaceId]
      evaluationFrequency: query.value.every
      windowSize: query.value.window
      criteria: {
        allOf: [
          {
            query: query.value.text
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // A new workspace does not have the tables yet.
      skipQueryValidation: true
      actions: { actionGroups: [actionGroup.id] }
    }
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for alert in items(metrics): {
    name: '${alert.key}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: alert.key
      enabled: true
      severity: 2
      scopes: [alert.value.resource]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: alert.key
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: alert.value.namespace
            metricName: alert.value.metric
            dimensions: alert.value.dimensions
            timeAggregation: alert.value.aggregation
            operator: 'GreaterThan'
            threshold: alert.value.threshold
            // A resource that was never used does not offer all of its metrics yet.
            skipMetricValidation: true
          }
        ]
      }
      autoMitigate: true
      actions: [{ actionGroupId: actionGroup.id }]
    }
  }
]

resource lockAlert 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'locks-changed-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    scopes: [watchedGroup]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        { field: 'status', equals: 'Succeeded' }
        { anyOf: lockChangeConditions }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroup.id }] }
  }
}

resource serviceHealthAlert 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'service-health-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    scopes: [watchedSubscription]
    condition: { allOf: [{ field: 'category', equals: 'ServiceHealth' }] }
    actions: { actionGroups: [{ actionGroupId: actionGroup.id }] }
  }
}

output actionGroupId string = actionGroup.id
