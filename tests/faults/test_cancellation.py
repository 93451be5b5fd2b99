"""A handler that is cancelled: the Functions worker would never answer, so the edge has to.

In this process, because only here can a handler's task be had. The database is a real socket.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from conversations.api import edge
from conversations.resources.answers import translated
from conversations.resources.conversations.models import ConversationId
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import INTERNAL, assert_fails
from tests.support.injected_faults import account, patches, silent, throttles
from tests.support.rest import Answer
from tests.support.servers import emulator_key
from tests.support.stores import open_stores


@dataclass(frozen=True)
class App:
    """A trigger that updates one conversation, and the database's view of it."""

    wire: CosmosWire
    update: Callable[[], Awaitable[Answer]]

    async def cancel(self, came: Callable[[], bool]) -> Answer:
        """Call the trigger, and cancel it once the database has seen what `came` looks for."""
        task = asyncio.ensure_future(self.update())
        await asyncio.to_thread(self.wire.wait_until, came)
        assert task.cancel()
        return await asyncio.wait_for(task, 1)


@asynccontextmanager
async def app(wire: CosmosWire) -> AsyncIterator[App]:
    """The app's edge and store over `wire`, with no open client yet."""
    async with open_stores(COSMOS_ENDPOINT=wire.url, COSMOS_KEY=emulator_key()) as other:
        id_ = (await other.conversations.create(None, {}, [], None)).conversation.id
    wire.reset()
    async with open_stores(COSMOS_ENDPOINT=wire.url, COSMOS_KEY=emulator_key()) as stores:

        async def operation(_: func.HttpRequest) -> edge.Answer:
            updated = await stores.conversations.replace_metadata(
                None, ConversationId(id_), {"n": "1"}, None
            )
            return edge.Answer(updated.model_dump_json())

        trigger = edge.answered("update_conversation", translated(operation))

        async def update() -> Answer:
            request = func.HttpRequest(method="POST", url="http://host/", body=b"")
            response = await trigger(request, _context())
            headers = {name.lower(): value for name, value in response.headers.items()}
            headers["content-type"] = response.mimetype
            return Answer(response.status_code, headers, response.get_body())

        try:
            yield App(wire, update)
        finally:
            wire.reset()


def _context() -> Any:
    """What the worker hands to a trigger, as far as the app looks at it."""
    trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    return SimpleNamespace(trace_context=SimpleNamespace(trace_parent=trace_parent))


@pytest.mark.parametrize(
    "fault", [pytest.param(silent, id="silence"), pytest.param(throttles(3_000), id="retry")]
)
def test_a_cancelled_update_is_answered(wire: CosmosWire, fault: Fault) -> None:
    async def scenario() -> None:
        async with app(wire) as running:
            assert (await running.update()).status == 200
            wire.reset()
            wire.fault = patches(fault)

            answer = await running.cancel(lambda: bool(wire.documents("PATCH")))

            assert_fails(answer, INTERNAL)
            assert not re.search("cancel", str(answer.body), re.IGNORECASE)
            wire.reset()
            assert (await running.update()).json()["metadata"] == {"n": "1"}

    asyncio.run(scenario())


def test_cancelling_one_request_does_not_end_the_opening_that_others_wait_for(
    wire: CosmosWire,
) -> None:
    async def scenario() -> None:
        async with app(wire) as running:
            let_go = asyncio.Event()

            async def held(_: Any) -> None:
                await let_go.wait()

            wire.fault = account(held)
            first = asyncio.ensure_future(running.cancel(lambda: bool(wire.accounts())))
            other = asyncio.ensure_future(running.update())

            assert_fails(await first, INTERNAL)
            assert not other.done()
            assert len(wire.accounts()) == 1
            wire.call_soon(let_go.set)

            assert (await other).status == 200

    asyncio.run(scenario())
