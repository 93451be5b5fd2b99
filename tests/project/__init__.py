"""The project's own files: docs, pins, benchmarks."""
