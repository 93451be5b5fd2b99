"""What goes to Cosmos DB over the wire, and what its servers make of it."""
