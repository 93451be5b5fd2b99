"""What checks, tests and benchmarks need of a tool and no library gives. Never deployed."""
