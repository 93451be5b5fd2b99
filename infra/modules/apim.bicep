// The gateway: the only way in. What it does with a request stands in ../policies.
import { managedIdentity, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string
param sku string

@description('Units of capacity.')
param units int

@description('Subnet that the gateway reaches the app through; empty where the app is public.')
param subnetId string

param publisherEmail string

@description('The identity that the gateway calls the function app with.')
param identity managedIdentity

param entraApplicationId string
param backendUrl string

@description('Requests per minute from one user, from one application without a user, and from one address.')
param rateLimits {
  user: int
  application: int
  address: int
}

@description('Applications that may call, their ids with commas in between; empty for all of the directory.')
param clientApplicationIds string

@description('Origins of web pages that may call, with commas in between; empty for none.')
param allowedOrigins string
param applicationInsightsId string
param applicationInsightsConnectionString string

// A hash of a user in the log means the same only until the next deployment.
@secure()
param hashSalt string = newGuid()

// What the policies refer to as {{name}}.
var values = {
  'tenant-id': subscription().tenantId
  'entra-application-id': entraApplicationId
  'gateway-client-id': identity.clientId
  'rate-limit-per-minute': string(rateLimits.user)
  'rate-limit-per-application': string(rateLimits.application)
  'rate-limit-per-address': string(rateLimits.address)
  'hash-salt': hashSalt
}

// None includes another: API Management does not take that.
var fragments = {
  broken: loadTextContent('../policies/fragments/broken.xml')
  error: loadTextContent('../policies/fragments/error.xml')
  repeat: loadTextContent('../policies/fragments/repeat.xml')
  unanswered: loadTextContent('../policies/fragments/unanswered.xml')
  unauthorized: loadTextContent('../policies/fragments/unauthorized.xml')
}

// The optional parts of the policies, which stand there as comments.
var clients = empty(clientApplicationIds)
  ? ''
  : '<client-application-ids>${join(map(split(clientApplicationIds, ','), id => '<application-id>${trim(id)}</application-id>'), '')}</client-application-ids>'
var cors = empty(allowedOrigins)
  ? ''
  : '<cors terminate-unmatched-request="false"><allowed-origins>${join(map(split(allowedOrigins, ','), origin => '<origin>${trim(origin)}</origin>'), '')}</allowed-origins><allowed-methods preflight-result-max-age="600"><method>*</method></allowed-methods><allowed-headers><header>*</header></allowed-headers><expose-headers><header>*</header></expose-headers></cors>'
var globalPolicyText = replace(loadTextContent('../policies/global.xml'), '<!-- {cors} -->', cors)
var apiPolicyText = replace(loadTextContent('../policies/api.xml'), '<!-- {client-application-ids} -->', clients)

// Methods and paths are all that the gateway needs of the API's description: nothing in it is validated here.
var operations = flatten(map(items(any(loadJsonContent('../../openapi.json', '$.paths'))), path => map(items(path.value), method => {
  name: method.value.operationId
  method: toUpper(method.key)
  urlTemplate: path.key
  templateParameters: map(filter(split(path.key, '/'), part => startsWith(part, '{')), part => {
    name: replace(replace(part, '{', ''), '}', '')
    type: 'string'
    required: true
  })
})))

// Headers only, and of those only what names a request and, hashed, its caller. Bodies hold users' data.
var logged = {
  headers: ['x-request-id', 'x-ms-client-request-id', 'x-caller-application', 'x-caller-user']
  body: { bytes: 0 }
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: 'apim-${suffix}'
  location: location
  tags: tags
  sku: { name: sku, capacity: units }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    publisherEmail: publisherEmail
    publisherName: 'Conversations API'
    developerPortalStatus: 'Disabled'
    virtualNetworkType: empty(subnetId) ? 'None' : 'External'
    virtualNetworkConfiguration: empty(subnetId) ? null : { subnetResourceId: subnetId }
  }
}

resource namedValues 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [
  for value in items(values): {
    parent: service
    name: value.key
    properties: { displayName: value.key, value: value.value, secret: value.key == 'hash-salt' }
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
  properties: { format: 'xml', value: globalPolicyText }
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
  }

  resource policy 'policies' = {
    name: 'policy'
    properties: { format: 'xml', value: apiPolicyText }
    dependsOn: [backend, globalPolicy]
  }

  // After the policy, so that no operation is open for a moment.
  resource health 'operations' = {
    name: 'health'
    properties: { displayName: 'health', method: 'GET', urlTemplate: '/health' }
    dependsOn: [policy]

    resource policy 'policies' = {
      name: 'policy'
      properties: { format: 'xml', value: loadTextContent('../policies/health.xml') }
    }
  }
}

@batchSize(1) // API Management refuses two changes of one API at a time.
resource apiOperations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [
  for operation in operations: {
    parent: api
    name: operation.name
    properties: {
      displayName: operation.name
      method: operation.method
      urlTemplate: operation.urlTemplate
      templateParameters: operation.templateParameters
    }
    dependsOn: [api::policy]
  }
]

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

// What the gateway's own log, which no sampling thins, says of a request. Its name and its logger's are Azure's.
resource platformLogger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: { loggerType: 'azureMonitor' }
}

resource platformDiagnostics 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: {
    loggerId: platformLogger.id
    alwaysLog: 'allErrors'
    logClientIp: false
    sampling: { samplingType: 'fixed', percentage: 100 }
    frontend: { request: logged, response: logged }
    backend: { request: logged, response: logged }
  }
}

output id string = service.id
output name string = service.name
output url string = service.properties.gatewayUrl
