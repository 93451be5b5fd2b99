"""Database work of one request: one budget around all of it, one retry inside.

Knows no document and no resource.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from conversations.database.client import Client
from conversations.database.documents import Documents
from conversations.database.failures import DatabaseFailure, Silence

Result = TypeVar("Result")


class Session:
    """Runs operations on the documents of `client`, each within `timeout_seconds`."""

    def __init__(self, client: Client, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    async def run(self, operation: Callable[[Documents], Awaitable[Result]]) -> Result:
        """Run `operation` within the budget, a second time if that may mend its failure.

        Raises AzureError.
        """
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
            raise Silence(f"cosmos took over {self._timeout_seconds:g} s") from error

    async def _attempt(self, operation: Callable[[Documents], Awaitable[Result]]) -> Result:
        documents = await self._client.documents()
        try:
            return await operation(documents)
        except DatabaseFailure as failure:
            if failure.wants_reopening:
                self._client.reopen(documents)
            raise
