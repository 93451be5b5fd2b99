"""HTTP in and out: what a request may be, and what every answer looks like. Knows no database."""
