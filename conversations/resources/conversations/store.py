"""The operations on stored conversations, each inside one partition, one budget, one retry.

The partition key is an argument of every operation: there is no way to reach a document without
naming whose it is. No operation reads a document in order to write it back.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from azure.core.exceptions import AzureError
from pydantic import ValidationError

from conversations.api.errors import ConversationNotFound, DatabaseTimeout, OperatorError
from conversations.api.isolation import IsolationKey
from conversations.database.client import Connection, Container
from conversations.database.failures import DatabaseFailure, FailedAnswer, answer_to
from conversations.resources.conversations.models import Conversation, ConversationId

Metadata = dict[str, str]
Result = TypeVar("Result")


class ConversationStore:
    """Conversations in a Cosmos DB container partitioned by `/isolation_key`.

    Every operation ends within `timeout_seconds`. Beside what it says itself, it raises
    RateLimited, ServiceUnavailable, DatabaseTimeout or OperatorError.
    """

    def __init__(self, connection: Connection, timeout_seconds: float) -> None:
        self._connection = connection
        self._timeout_seconds = timeout_seconds

    async def create(self, isolation_key: IsolationKey | None, metadata: Metadata) -> Conversation:
        """Store a new conversation."""
        # Drawn out here: a retry must send the same id, to be recognised as one.
        first, second = (_new_document(isolation_key, metadata) for _ in range(2))

        async def write(container: Container) -> dict[str, Any]:
            try:
                return await _create_or_read(container, first)
            except FailedAnswer as failure:
                if not failure.is_missing_document:
                    raise
            return await _create_or_read(container, second)

        return _conversation(await self._run(write))

    async def retrieve(
        self, isolation_key: IsolationKey | None, conversation_id: ConversationId
    ) -> Conversation:
        """Read one conversation. Raises ConversationNotFound."""

        async def read(container: Container) -> dict[str, Any]:
            return await container.items.read_item(conversation_id, partition_key=isolation_key)

        return _conversation(await self._run(read, conversation_id))

    async def replace_metadata(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        metadata: Metadata,
    ) -> Conversation:
        """Replace the metadata, touching nothing else, in one patch. Raises ConversationNotFound.

        One `set` on the whole property: metadata keys may hold `/` and `~`, so they never go into a
        patch path, and re-sending it changes nothing.
        """

        async def patch(container: Container) -> dict[str, Any]:
            return await container.patch.set(conversation_id, isolation_key, "/metadata", metadata)

        return _conversation(await self._run(patch, conversation_id))

    async def delete(
        self, isolation_key: IsolationKey | None, conversation_id: ConversationId
    ) -> None:
        """Remove one conversation. Raises ConversationNotFound."""

        async def remove(container: Container) -> None:
            await container.items.delete_item(conversation_id, partition_key=isolation_key)

        await self._run(remove, conversation_id)

    async def _run(
        self,
        operation: Callable[[Container], Awaitable[Result]],
        conversation_id: ConversationId | None = None,
    ) -> Result:
        """Run `operation` within the budget, a second time if that may mend its failure."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_seconds
        try:
            # The only hard cap: the SDK's own timeouts count per attempt.
            async with asyncio.timeout_at(deadline):
                try:
                    return await self._attempt(operation)
                except DatabaseFailure as failure:
                    wait = failure.retry_wait
                    if wait is None or loop.time() + wait >= deadline:
                        raise
                await asyncio.sleep(wait)
                return await self._attempt(operation)
        except TimeoutError as error:
            raise DatabaseTimeout(f"cosmos took over {self._timeout_seconds:g} s") from error
        except AzureError as error:
            missing = isinstance(error, DatabaseFailure) and error.is_missing_document
            if missing and conversation_id is not None:
                raise ConversationNotFound(conversation_id) from error
            raise answer_to(error) from error

    async def _attempt(self, operation: Callable[[Container], Awaitable[Result]]) -> Result:
        container = await self._connection.container()
        try:
            return await operation(container)
        except DatabaseFailure as failure:
            if failure.wants_reopening:
                self._connection.reopen(container)
            raise


async def _create_or_read(container: Container, document: dict[str, Any]) -> dict[str, Any]:
    """Create the document; one that is there already came from our own earlier attempt.

    An id has 160 random bits, and a request that was broken off is sent again.
    """
    try:
        return await container.items.create_item(document)
    except FailedAnswer as failure:
        if failure.status != 409:
            raise
    return await container.items.read_item(document["id"], partition_key=document["isolation_key"])


def _new_document(isolation_key: IsolationKey | None, metadata: Metadata) -> dict[str, Any]:
    created_at = int(time.time())
    return {
        "id": f"conv_{created_at:08x}{secrets.token_hex(20)}",
        "isolation_key": isolation_key,
        "type": "conversation",  # so that other kinds of document can join the partition
        "created_at": created_at,
        "metadata": metadata,
    }


def _conversation(document: dict[str, Any]) -> Conversation:
    try:
        return Conversation.model_validate(document)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        fields = ", ".join(sorted(wrong))
    raise OperatorError(f"a stored document is no conversation: check its {fields}")
