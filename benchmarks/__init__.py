"""What a request costs, and against what. Never deployed; `make bench` runs it."""
