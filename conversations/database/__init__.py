"""Cosmos DB: the client, its requests and its failures. Knows no resource."""
