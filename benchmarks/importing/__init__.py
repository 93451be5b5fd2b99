"""The same, importing what our app has to import: what any start on Cosmos DB costs."""
