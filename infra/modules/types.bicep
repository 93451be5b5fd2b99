// Shapes that modules hand to each other.

@export()
@description('A user-assigned managed identity, by the three ids that Azure asks for in different places.')
type managedIdentity = {
  id: string
  clientId: string
  principalId: string
}
