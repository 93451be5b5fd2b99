"""The official client in front of the hosts, which tries again as it thinks right."""

import contextlib
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import httpx2
import openai

from tests.proof import calls as api
from tests.proof.calls import Call

ByHttp = Callable[[Call, httpx2.Request], Awaitable[httpx2.Response]]
"""Carries out one try of a call."""

_call: ContextVar[Call] = ContextVar("call")


class OfficialClient:
    """With its own retries as they are by default."""

    def __init__(self, by_http: ByHttp) -> None:
        self._client = openai.AsyncOpenAI(
            api_key="unused",
            base_url=f"http://localhost{api.BASE}",
            http_client=httpx2.AsyncClient(transport=_ToTheApp(by_http), trust_env=False),
        )

    async def make(self, call: Call) -> None:
        """Make a call, as its user would."""
        _call.set(call)
        with contextlib.suppress(openai.APIError):
            await self._made(call)

    async def _made(self, call: Call) -> Any:
        conversations = self._client.conversations
        id_, item_id = str(call.conversation_id), str(call.item_id)
        options: Any = {"extra_headers": call.headers}
        match call.kind:
            case "create":
                return await conversations.create(**call.body, **options)
            case "append":
                return await conversations.items.create(id_, **call.body, **options)
            case "update" | "merge":
                return await conversations.update(id_, **call.body, **options)
            case "delete":
                return await conversations.delete(id_, **options)
            case "delete_item":
                return await conversations.items.delete(item_id, conversation_id=id_, **options)
        raise AssertionError(call.kind)


class _ToTheApp(httpx2.AsyncBaseTransport):
    """Where the official client would open a connection."""

    def __init__(self, by_http: ByHttp) -> None:
        self._by_http = by_http

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One try of the call that is being made."""
        return await self._by_http(_call.get(), request)
