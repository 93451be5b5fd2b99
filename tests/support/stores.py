"""Opens the stores in this process, for what cannot be seen through HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from conversations.database.client import Client
from conversations.database.session import Session
from conversations.resources.conversations.store import ConversationStore
from conversations.resources.items.store import ItemStore
from conversations.settings import Settings


@dataclass(frozen=True)
class Stores:
    """The app's stores, on one client."""

    conversations: ConversationStore
    items: ItemStore


@asynccontextmanager
async def open_stores(**settings: str) -> AsyncIterator[Stores]:
    """The stores on a client of their own, which is closed when the block ends."""
    checked = Settings.from_environment(settings)
    client = Client(checked)
    session = Session(client, checked.cosmos_timeout_seconds)
    try:
        yield Stores(ConversationStore(session), ItemStore(session))
    finally:
        await client.close()
