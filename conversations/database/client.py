"""The process's one Cosmos client: opened once, shared, opened anew when the account has moved.

Knows no document, and creates no database and no container (the app's identity may not).
"""

import asyncio
import logging

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, DecodeError
from azure.cosmos.aio import CosmosClient

from conversations.database.documents import Documents
from conversations.database.failures import Silence, UnreadableAnswer
from conversations.database.sdk_internals import shorten_pipeline
from conversations.database.transport import Transport
from conversations.settings import Settings

# At INFO the SDK writes every request with its headers.
logging.getLogger("azure").setLevel(logging.WARNING)


class Client:
    """Hands out the documents, opening the SDK's client when first asked for them, or before.

    A failed opening is not remembered: the next request tries again.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._credential: str | AsyncTokenCredential | None = None
        self._client: CosmosClient | None = None
        self._documents: Documents | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def documents(self) -> Documents:
        """The documents of the container; callers that come while it opens share the opening.

        Raises AzureError.
        """
        joined = self._opening if self._opening and not self._opening.done() else None
        while self._documents is None:
            opening = self.open()
            try:
                # A caller whose budget ends leaves; the opening goes on for the others.
                await asyncio.shield(opening)
            except AzureError:
                # One that began before this request says nothing about now.
                if opening is not joined:
                    raise
        return self._documents

    def reopen(self, documents: Documents) -> None:
        """Leave the client of `documents`: a new one will ask the account where it is served."""
        if documents is not self._documents:
            return  # another request already did
        assert self._client is not None
        closing = asyncio.create_task(self._close_when_unused(self._client))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._client = self._documents = None

    def open(self) -> asyncio.Task[None]:
        """Start opening the client, or join the opening under way.

        Raises RuntimeError outside of an event loop.
        """
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add_done_callback(_see_exception)
        return self._opening

    async def close(self) -> None:
        """Close the client if it is open. The app never does: its process is killed."""
        if self._client:
            await self._client.close()
            self._client = self._documents = None

    async def _open(self) -> None:
        settings = self._settings
        budget = settings.cosmos_timeout_seconds
        if self._credential is None:
            # In a thread, for what it imports. Kept, with its token, for every client to come.
            self._credential = await asyncio.to_thread(_make_credential, settings)
        transport = Transport(budget, proxy_from_environment=settings.cosmos_proxy_from_environment)
        client = CosmosClient(
            settings.cosmos_endpoint,
            self._credential,
            transport=transport,
            # The request's own deadline is the cap; the sockets only must not outlive it.
            connection_timeout=budget,
            read_timeout=budget,
            retry_total=0,
        )
        shorten_pipeline(client, transport)
        try:
            async with asyncio.timeout(budget):
                await client.__aenter__()
        except TimeoutError as error:
            await client.close()
            raise Silence(f"cosmos told nothing about the account in {budget:g} s") from error
        except DecodeError as error:
            await client.close()
            raise UnreadableAnswer("cosmos told nothing readable; check COSMOS_ENDPOINT") from error
        except BaseException:
            await client.close()
            raise
        self._documents = Documents(client, transport, settings)
        self._client = client

    async def _close_when_unused(self, client: CosmosClient) -> None:
        # By then the last request that uses it has met its deadline.
        await asyncio.sleep(self._settings.cosmos_timeout_seconds)
        await client.close()


def _see_exception(opening: asyncio.Task[None]) -> None:
    """Keep asyncio from reporting a failure that whoever waited has raised already."""
    if not opening.cancelled():
        opening.exception()


def _make_credential(settings: Settings) -> str | AsyncTokenCredential:
    if settings.cosmos_key is not None:
        return settings.cosmos_key.get_secret_value()
    # Imported here because it is a quarter of the import time, and a key needs none of it.
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings.azure_client_id)
