// The addresses of app, storage and database inside the network: their only ones in the private profile.
import { privateService, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string
param subnetId string

@description('What the endpoints lead to.')
param serviceIds privateService

@description('Where their names are kept.')
param zoneIds privateService

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for service in items(serviceIds): {
    name: 'pe-${toLower(service.key)}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: service.key, properties: { privateLinkServiceId: service.value, groupIds: [service.key] } }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (service, index) in items(serviceIds): {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: service.key, properties: { privateDnsZoneId: zoneIds[service.key] } }
      ]
    }
  }
]
