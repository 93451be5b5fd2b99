"""The item of a conversation: its types, its operations, its documents."""
