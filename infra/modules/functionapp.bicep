// The function app on Flex Consumption. It answers the gateway's identity and nobody else.
import { managedIdentity, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string

@description('The identity that the app uses.')
param identity managedIdentity

@description('The identity that may call the app.')
param caller managedIdentity

param entraApplicationId string
param blobEndpoint string
param packageContainerUrl string
param cosmosEndpoint string
param cosmosDatabase string
param cosmosContainer string
param applicationInsightsConnectionString string
param instanceMemoryMB int
param httpConcurrency int
param alwaysReadyInstances int
param maximumInstanceCount int

@description('Spreads the instances over availability zones.')
param zoneRedundant bool

@description('Subnet that the app reaches its database and storage through, with no address of its own on the internet; empty for a public app.')
param subnetId string

// Who issues the tokens that the gateway shows. Asked twice: by App Service authentication, and by the app itself.
var issuer = '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'

var settings = {
  COSMOS_ENDPOINT: cosmosEndpoint
  COSMOS_DATABASE: cosmosDatabase
  COSMOS_CONTAINER: cosmosContainer
  COSMOS_TIMEOUT_SECONDS: '5'
  COSMOS_PROXY_FROM_ENVIRONMENT: 'false'
  REQUIRE_USER_ISOLATION_KEY: 'true'
  GATEWAY_PRINCIPAL_ID: caller.principalId
  GATEWAY_ISSUER: issuer
  GATEWAY_AUDIENCE: entraApplicationId
  AZURE_CLIENT_ID: identity.clientId

  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.clientId
  AzureWebJobsDisableHomepage: 'true'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: 'func-${suffix}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: empty(subnetId) ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      appSettings: [for setting in items(settings): { name: setting.key, value: setting.value }]
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
        // Python's default here is one request per instance.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  // The first lock on the app's own address. The isolation key is trusted because of it: whoever gets
  // past it can name any user. The second is the app's: it checks the same token by the settings GATEWAY_*.
  resource authentication 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: { requireAuthentication: true, unauthenticatedClientAction: 'Return401' }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: entraApplicationId
            openIdIssuer: issuer
          }
          validation: {
            allowedAudiences: [entraApplicationId]
            // Without these two every token for this API would pass, each user's own included.
            defaultAuthorizationPolicy: {
              allowedApplications: [caller.clientId]
              allowedPrincipals: { identities: [caller.principalId] }
            }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}

output id string = site.id
output name string = site.name
output url string = 'https://${site.properties.defaultHostName}'
