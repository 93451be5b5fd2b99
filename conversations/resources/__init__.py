"""What the API is about: one folder a resource, with its models, operations and store."""
