"""A function app that only answers: what any function costs on the same host."""
