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
@description('One id for each service behind a private endpoint, by the name that Azure has for its sub-resource.')
type privateService = {
  sites: string
  blob: string
  Sql: string
}
