"""Opens the store in this process, for what cannot be seen through HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from azure.core.exceptions import AzureError

from conversations.database.client import Connection
from conversations.resources.conversations.store import ConversationStore
from conversations.settings import Settings


@asynccontextmanager
async def open_store(**settings: str) -> AsyncIterator[ConversationStore]:
    """A store on a client of its own, which is closed when the block ends."""
    checked = Settings.from_environment(settings)
    connection = Connection(checked)
    try:
        yield ConversationStore(connection, checked.cosmos_timeout_seconds)
    finally:
        # The app never closes its client: it is killed. Here an open socket would be a warning.
        with suppress(AzureError):  # never opened
            container = await connection.container()
            await container.items.client_connection.pipeline_client.close()
