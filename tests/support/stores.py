"""Opens the store in this process, for what cannot be seen through HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from conversations.database.client import Client
from conversations.database.session import Session
from conversations.resources.conversations.store import ConversationStore
from conversations.settings import Settings


@asynccontextmanager
async def open_store(**settings: str) -> AsyncIterator[ConversationStore]:
    """A store on a client of its own, which is closed when the block ends."""
    checked = Settings.from_environment(settings)
    client = Client(checked)
    try:
        yield ConversationStore(Session(client, checked.cosmos_timeout_seconds))
    finally:
        await client.close()
