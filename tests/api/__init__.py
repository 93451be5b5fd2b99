"""What any server of this API must do: run against the app, or against the one at BASE_URL."""
