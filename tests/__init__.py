"""The tests: over HTTP against the running app, unless a module says otherwise."""
