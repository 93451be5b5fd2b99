"""The conversation: its models, its operations, its documents."""
