// Shapes that modules hand to each other.

@export()
@description('A user-assigned managed identity, by the three ids that Azure asks for in different places.')
type managedIdentity = {
  id: string
  clientId: string
  principalId: string
}

@export()
@description('Tags of every resource.')
type resourceTags = {
  *: string
}

@export()
@description('Private DNS zones, by the name that Azure has for what is found in them.')
type privateZones = {
  sites: string
  blob: string
  Sql: string
}

@export()
@description('What a private endpoint leads to: the name that Azure has for its kind, its id, and the zone of its address.')
type privateService = {
  group: string
  id: string
  zoneId: string
}
