// One page that shows how the service does: in the portal, under the workspace's workbooks.
import { resourceTags } from 'types.bicep'

param location string
param tags resourceTags
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'conversations-api')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Conversations API'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}
