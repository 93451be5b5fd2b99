"""The app's settings, as the tests of the infrastructure need them: the one place to adapt."""

from conversations.settings import Settings


def names() -> set[str]:
    """List all environment variables that the app reads."""
    return {name.upper() for name in Settings.model_fields}
