// Addresses inside the network: in the private profile the only ones of app, storage and database.
import { privateService, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string
param subnetId string
param services privateService[]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for service in services: {
    name: 'pe-${toLower(service.group)}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: service.group, properties: { privateLinkServiceId: service.id, groupIds: [service.group] } }
      ]
    }
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (service, index) in services: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: service.group, properties: { privateDnsZoneId: service.zoneId } }]
    }
  }
]
