"""Conversation state in Cosmos DB behind an OpenAI-compatible API: all that runs in Azure."""
