"""What one update costs, and against what. Never deployed; `make bench` runs it."""
