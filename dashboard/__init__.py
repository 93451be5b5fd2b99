"""A page to see and edit the conversations of any server of this API; never deployed with it."""
