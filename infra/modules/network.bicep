// The private profile's network: who is in it, and how the names of the private services are found there.
import { privateZones, resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param suffix string

// Each with what Azure wants to find in it. The last one is for whatever deploys the app, which nobody can from outside.
var subnets = [
  { name: 'gateway', prefix: '10.70.0.0/26', delegation: 'Microsoft.Web/serverFarms' }
  { name: 'app', prefix: '10.70.0.64/26', delegation: 'Microsoft.App/environments' }
  { name: 'endpoints', prefix: '10.70.0.128/26', delegation: '' }
  { name: 'deployment', prefix: '10.70.0.192/26', delegation: '' }
]

var zones = {
  sites: 'privatelink.azurewebsites.net'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  Sql: 'privatelink.documents.azure.com'
}

// The gateway's subnet must have one. Its default rules are enough: in from the network, out to anywhere.
resource rules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${suffix}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.70.0.0/24'] }
    subnets: [
      for subnet in subnets: {
        name: subnet.name
        properties: {
          addressPrefix: subnet.prefix
          networkSecurityGroup: { id: rules.id }
          delegations: empty(subnet.delegation)
            ? []
            : [{ name: subnet.name, properties: { serviceName: subnet.delegation } }]
        }
      }
    ]
  }
}

resource dnsZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in items(zones): {
    name: zone.value
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in items(zones): {
    parent: dnsZones[index]
    name: network.name
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

output gatewaySubnetId string = '${network.id}/subnets/gateway'
output appSubnetId string = '${network.id}/subnets/app'
output endpointSubnetId string = '${network.id}/subnets/endpoints'
output zoneIds privateZones = {
  sites: resourceId('Microsoft.Network/privateDnsZones', zones.sites)
  blob: resourceId('Microsoft.Network/privateDnsZones', zones.blob)
  Sql: resourceId('Microsoft.Network/privateDnsZones', zones.Sql)
}
