"""A server of documents that a test may use, and what the fixtures of these tests are."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from conversations.api.isolation import IsolationKey
from tests.support.stores import Stores, open_stores

Run = Callable[[Awaitable[Any]], Any]
WrongIn = Callable[[str, str], None]


@dataclass(frozen=True)
class Account:
    """A server, and the container on it that the tests may use."""

    kind: str
    endpoint: str
    key: str
    database: str = "conversations"
    container: str = "conversations"

    def stores(self) -> AbstractAsyncContextManager[Stores]:
        """The app's stores on this container, as a context manager."""
        return open_stores(
            COSMOS_ENDPOINT=self.endpoint,
            COSMOS_KEY=self.key,
            COSMOS_DATABASE=self.database,
            COSMOS_CONTAINER=self.container,
        )


def new_user() -> IsolationKey:
    """The isolation key of a user whom nobody else is."""
    return IsolationKey(f"user-{secrets.token_hex(8)}")
