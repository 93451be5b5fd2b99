"""A stand-in for Cosmos DB, for development only: it speaks what this project sends."""
