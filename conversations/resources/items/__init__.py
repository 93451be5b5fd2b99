"""Items: what a conversation consists of."""
