"""What the app answers, and keeps, when the database or its own process fails."""
