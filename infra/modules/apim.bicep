// The gateway: the only way in. What it does with a request stands in ../policies.
import { managedIdentity } from 'types.bicep'

param location string
param tags object
param suffix string
param sku string
param publisherEmail string

@description('The identity that the gateway calls the function app with.')
param identity managedIdentity

param entraApplicationId string
param backendUrl string
param rateLimitPerMinute int
param applicationInsightsId string
param applicationInsightsConnectionString string

// What the policies refer to as {{name}}. None of it is secret.
var values = {
  'tenant-id': subscription().tenantId
  'entra-application-id': entraApplicationId
  'gateway-client-id': identity.clientId
  'rate-limit-per-minute': string(rateLimitPerMinute)
}

var fragments = {
  unauthorized: loadTextContent('../policies/fragments/unauthorized.xml')
  unavailable: loadTextContent('../policies/fragments/unavailable.xml')
}

// Headers only, and of those only what names a request. Bodies hold users' data.
var logged = {
  headers: ['x-request-id', 'x-ms-client-request-id']
  body: { bytes: 0 }
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: 'apim-${suffix}'
  location: location
  tags: tags
  sku: { name: sku, capacity: 1 }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    publisherEmail: publisherEmail
    publisherName: 'Conversations API'
    developerPortalStatus: 'Disabled'
  }
}

resource namedValues 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [
  for value in items(values): {
    parent: service
    name: value.key
    properties: { displayName: value.key, value: value.value, secret: false }
  }
]

resource policyFragments 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = [
  for fragment in items(fragments): {
    parent: service
    name: fragment.key
    properties: { format: 'xml', value: fragment.value }
    dependsOn: [namedValues]
  }
]

resource backend 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: service
  name: 'function-app'
  properties: {
    protocol: 'http'
    url: backendUrl
    tls: { validateCertificateChain: true, validateCertificateName: true }
  }
}

resource globalPolicy 'Microsoft.ApiManagement/service/policies@2024-05-01' = {
  parent: service
  name: 'policy'
  properties: { format: 'xml', value: loadTextContent('../policies/global.xml') }
  dependsOn: [policyFragments]
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'conversations'
  properties: {
    displayName: 'Conversations API'
    // The document's paths are the public ones.
    path: ''
    protocols: ['https']
    // Callers show a token, which the policy checks.
    subscriptionRequired: false
    format: 'openapi+json'
    value: loadTextContent('../../openapi.json')
    translateRequiredQueryParameters: 'query'
  }

  resource policy 'policies' = {
    name: 'policy'
    properties: { format: 'xml', value: loadTextContent('../policies/api.xml') }
    dependsOn: [policyFragments, backend, globalPolicy]
  }
}

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'application-insights'
  properties: {
    loggerType: 'applicationInsights'
    resourceId: applicationInsightsId
    credentials: {
      connectionString: applicationInsightsConnectionString
      identityClientId: identity.clientId
    }
  }
}

resource diagnostics 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: service
  name: 'applicationinsights'
  properties: {
    loggerId: logger.id
    alwaysLog: 'allErrors'
    httpCorrelationProtocol: 'W3C'
    logClientIp: false
    // The app logs every request itself; this is a sample on top, and every error.
    sampling: { samplingType: 'fixed', percentage: 10 }
    frontend: { request: logged, response: logged }
    backend: { request: logged, response: logged }
  }
}

output url string = service.properties.gatewayUrl
