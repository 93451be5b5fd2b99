"""The app inside a Functions host: start, log, Azure's own runtime library."""
