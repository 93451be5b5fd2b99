// Asks the gateway's health from outside, every five minutes from three places.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string
param gatewayUrl string
param applicationInsightsId string
param actionGroupId string

resource test 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'health-${suffix}'
  location: location
  tags: union(tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'health-${suffix}'
    Name: 'health'
    Enabled: true
    Kind: 'standard'
    Frequency: 300
    Timeout: 60
    RetryEnabled: true
    // West Europe, East US, Southeast Asia.
    Locations: [{ Id: 'emea-nl-ams-azr' }, { Id: 'us-va-ash-azr' }, { Id: 'apac-sg-sin-azr' }]
    Request: { RequestUrl: '${gatewayUrl}/health', HttpVerb: 'GET', ParseDependentRequests: false, FollowRedirects: false }
    ValidationRules: { ExpectedHttpStatusCode: 204, SSLCheck: true, SSLCertRemainingLifetimeCheck: 14 }
  }
}

resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'unavailable-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'unavailable'
    enabled: true
    severity: 1
    scopes: [test.id, applicationInsightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: test.id
      componentId: applicationInsightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [{ actionGroupId: actionGroupId }]
  }
}
