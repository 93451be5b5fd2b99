"""What make run starts: the Functions host and the Cosmos DB stand-in."""
