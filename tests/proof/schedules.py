"""One schedule: calls, what befalls their requests, and what others do in between.

Everything is drawn, so that Hypothesis can repeat and shrink it; no time passes but the loop's.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import httpx2
from hypothesis import strategies as st

from conversations.app import Parts
from conversations.database.session import Session
from conversations.resources.sweep import Sweep
from tests.proof import calls as api
from tests.proof.calls import Call, Host, Try
from tests.proof.drawn import CROWDED, IN_A_CROWD, OWN_IDS, Draw, new_call
from tests.proof.fates import WHOLE, Done
from tests.proof.judge import BUDGET, judge
from tests.proof.network import (
    ENDPOINT,
    CarryOut,
    Commit,
    Network,
    Received,
    Sent,
    StandIn,
    refused,
    reset,
    sender,
)
from tests.proof.official import OfficialClient
from tests.proof.plots import FIRST, Plot, Point, new_plot
from tests.support.servers import emulator_key
from tests.support.virtual_time import VirtualTimeLoop

START = 1_800_000_000  # of the clock that dates positions and documents; no time of day matters
LATENCY = 0.03
QUIET_LATENCY = 0.01
CROWDED_LATENCY = 0.6
HOUR, DAY = 3_600, 86_400


class Hosts:
    """Two instances of the app on one network, and the official client in front of them."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self.loop = loop
        self.network = Network()
        environment = {
            "COSMOS_ENDPOINT": ENDPOINT,
            "COSMOS_KEY": emulator_key(),
            "COSMOS_TIMEOUT_SECONDS": str(BUDGET),
        }
        self.hosts = [Host(Parts(environment)) for _ in range(2)]
        self.schedule: Schedule | None = None
        self.client = OfficialClient(self._by_http)
        # How many calls of each kind the client made, and how many of these it tried again.
        self.by_client: Counter[str] = Counter()
        self.tried_again: Counter[str] = Counter()

    async def open(self) -> None:
        """Do what needs a thread, which virtual time would not wait for."""
        self.network.stand_in = StandIn(lambda: START)
        with self.loop.in_real_time():
            for host in self.hosts:
                await host.parts.client.documents()
            self.schedule = Schedule(self, lambda _: None, Plot())
            call = api.create([], {})
            await self.client.make(call)
            assert call.tries[0].status == 200, call

    def play(self, draw: Draw, by_client: str | None = None) -> None:
        """Run one schedule to its end and hold it to the rules.

        `by_client`: what the official client calls; otherwise anything, by anybody.
        """
        self.loop.run_until_complete(self._play(draw, by_client))

    async def _play(self, draw: Draw, by_client: str | None) -> None:
        for host in self.hosts:
            await host.parts.client.close()
        plot = new_plot(draw, refusals=by_client is not None)
        self.schedule = schedule = Schedule(self, draw, plot, by_client)
        self.network.stand_in = schedule.stand_in
        self.network.carrier = schedule.carry
        try:
            await schedule.run()
        finally:
            self.network.carrier = None
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            schedule.stand_in.close()
        for call in schedule.calls:
            if call.by_client:
                self.by_client[call.variant] += 1
                self.tried_again[call.variant] += len(call.tries) > 1

    async def _by_http(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        assert self.schedule
        return await self.schedule.by_http(call, request)


class Schedule:
    """The state of one schedule."""

    def __init__(self, hosts: Hosts, draw: Draw, plot: Plot, by_client: str | None = None) -> None:
        self._hosts = hosts
        self._draw = draw
        self._plot = plot
        self._by_client = by_client
        self._offset = 0.0
        self._ticks = 0
        consistency = draw(st.sampled_from(("Session", "Strong")))
        self.stand_in = StandIn(self.now, consistency or "Session")
        self._seen: Counter[str] = Counter()
        self.late: list[CarryOut] = []
        self.calls: list[Call] = []
        self.expired: list[int] = []
        self.conversation_ids: list[str] = []

    @property
    def commits(self) -> list[Commit]:
        """All that was committed so far."""
        return self.stand_in.commits

    def now(self) -> float:
        """The time of day, of everybody whose clock is right."""
        return START + self._hosts.loop.time() + self._offset

    def time_ns(self) -> int:
        """The time of day by the clock of the host that serves the current call."""
        attempt: Try | None = sender.get(None)
        self._ticks += 1
        skew = attempt.call.skew if attempt else 0
        return (int(self.now() * 1e6) + self._ticks + skew) * 1000

    async def run(self) -> None:
        """Some calls at once, all late requests, the verdict, and the sweep."""
        self.stand_in.storage.lag = self._draw(st.integers(0, 3))
        await self._first()
        count = self._draw(st.sampled_from((1, 1, 1, 1, 2, 3)))
        await asyncio.gather(*(asyncio.create_task(self._call()) for _ in range(count)))
        await asyncio.sleep(BUDGET)  # what others still do
        while self.late:
            await self.late.pop(0)(late=True)
        judge(self.calls, self.commits, self.expired)
        await self._judge_what_is_left()

    async def _first(self) -> None:
        items = [api.message(f"first {n}") for n in range(self._draw(st.integers(0, 2)))]
        await self._calmly(api.create(items, {"a": "0", "b": "0"}))
        match self._draw(st.sampled_from((None, "append", "create"))):
            case "append":
                (first,) = self.commits[0].created("conversation")
                await self._calmly(api.append(first["id"], [api.message("x.0")], key="key-1"))
            case "create":
                await self._calmly(api.create([], {"a": "x"}, key="key-1"))
        self._offset += DAY - HOUR

    async def _call(self) -> None:
        crowded = CROWDED if self._plot.crowded else ()
        call = self._new_call(variants=(self._by_client,) if self._by_client else crowded)
        self.calls.append(call)
        call.by_client = bool(self._by_client) or self._draw(st.booleans())
        if call.by_client:
            await self._hosts.client.make(call)
        else:
            attempt = self._attempt(call)
            await self._send(attempt, call.headers, _content(call))

    async def _calmly(self, call: Call) -> None:
        call.calm = True
        self.calls.append(call)
        # In a task of its own, for the sender is another; and it goes on where the request that it
        # got in the way of is given up.
        attempt = self._attempt(call)
        sending = asyncio.create_task(self._send(attempt, call.headers, _content(call)))
        await asyncio.shield(sending)

    async def by_http(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        """One try of the official client."""
        attempt = self._attempt(call)
        content = await request.aread()
        await asyncio.create_task(self._send(attempt, dict(request.headers), content))
        if not call.must_not_be_repeated and self._draw(st.sampled_from((False, False, True))):
            # To this client alone the API cannot say that it should not try again.
            raise httpx2.ReadError("lost on its way to the client", request=request)
        return httpx2.Response(attempt.status, headers=attempt.headers, json=attempt.json)

    def _attempt(self, call: Call) -> Try:
        attempt = Try(call, begun=len(self.commits))
        call.tries.append(attempt)
        return attempt

    async def _send(self, attempt: Try, headers: dict[str, str], content: bytes) -> None:
        host = self._hosts.hosts[self._draw(st.integers(0, 1)) or 0]
        started = self._hosts.loop.time()
        await host.attempt(attempt, headers, content)
        attempt.seconds = self._hosts.loop.time() - started
        attempt.ended = len(self.commits)

    async def carry(self, sent: Sent, carry_out: CarryOut) -> Received:
        """What befalls one request about documents."""
        attempt: Try | None = sender.get(None)
        if attempt is None or attempt.call.calm:
            await asyncio.sleep(QUIET_LATENCY)
            return await carry_out()
        point = self._point(sent)
        for at, what in self._plot.meanwhile:
            if at == point:
                await self._happen(what, attempt.call)
        crowded = self._plot.crowded and attempt.call.kind in IN_A_CROWD
        if crowded and self._seen["write"] and point != FIRST:
            await self._calmly(self._new_call(attempt.call, [IN_A_CROWD[attempt.call.kind]]))
        await asyncio.sleep(CROWDED_LATENCY if crowded else LATENCY)
        fate = self._plot.fate(point)
        if fate != WHOLE:
            kind = "a read" if _only_reads(sent) else "a write"
            attempt.befallen.append(f"{kind}, outcome unknown" if fate.leaves_open else f"{fate}")
        received: Received | None = None
        if fate.done is Done.NOW:
            received = await carry_out()
        elif fate.done is Done.LATER:
            self.late.append(carry_out)
        match fate.answer:
            case "whole" | "slow" if received:
                if fate.answer == "slow":
                    await asyncio.sleep(self._draw(st.sampled_from((0.5, 3.9, 4.5))))
                return received
            case "reset":
                raise reset()
            case "refused":
                raise refused()
            case "silence":
                await asyncio.Event().wait()
        answer: Received = fate.answer.of(sent)
        return answer

    def _point(self, sent: Sent) -> Point:
        kind = "look" if _only_reads(sent) else "write"
        if kind == "look" and not self._seen["write"]:
            return "before", 0
        self._seen[kind] += 1
        return kind, self._seen[kind] - 1

    async def _happen(self, what: str, call: Call) -> None:
        """Something between two requests of a call."""
        match what:
            case "deliver" if self.late:
                await self.late.pop(0)(late=True)
            case "call":
                await self._calmly(self._new_call(against=call))
            case "reuse":
                # Somebody deletes an item, and gives its id to another.
                id_ = self.commits[0].created("conversation")[0]["id"]
                await self._calmly(api.delete_item(id_, OWN_IDS[0]))
                await self._calmly(api.append(id_, [api.message("reused", OWN_IDS[0])]))
            case "sweep":
                # No request takes the minutes after which a deletion is forgotten, nor the day
                # after which a key is: that passes for keys alone.
                await self._sweep(lambda: START)
            case "expire":
                # Of the day before: a key of now is good for longer than any request lasts.
                self._offset += HOUR
                self.expired.append(len(self.commits))

    async def _sweep(self, clock: Callable[[], float]) -> None:
        async def sweep() -> None:
            sender.set(None)
            await Sweep(Session(self._hosts.hosts[1].parts.client, BUDGET), clock).run()

        await asyncio.create_task(sweep())

    def _new_call(self, against: Call | None = None, variants: Sequence[str] = ()) -> Call:
        return new_call(self._draw, self.stand_in, str(len(self.calls)), against, variants)

    async def _judge_what_is_left(self) -> None:
        """The store is what was committed to it, and in the end without what was deleted."""
        stored = {one["id"] for one in self._documents() if one["type"] != "idempotency"}
        assert stored == self._live(), "the database is not what was committed to it"
        self._offset += DAY + 1
        self.stand_in.storage.lag = 0
        for _ in range(2):
            await self._sweep(self.now)
        left = {document["id"] for document in self._documents()}
        orphans = [
            document
            for document in self._documents()
            if document["type"] == "deletion"
            or (document["type"] == "item" and document["id"].partition(".")[0] not in left)
        ]
        assert not orphans, ("left behind", orphans)

    def _live(self) -> set[str]:
        live: set[str] = set()
        for commit in self.commits:
            for operation in commit.operations:
                if operation["operationType"] == "Create":
                    live.add(operation["resourceBody"]["id"])
                if operation["operationType"] == "Delete":
                    live.discard(operation["id"])
        return {id_ for id_ in live if not id_.startswith("key.")}

    def _documents(self) -> list[dict[str, Any]]:
        return self.stand_in.everything()


def _only_reads(sent: Sent) -> bool:
    return all(one["operationType"] == "Read" for one in sent.operations)


def _content(call: Call) -> bytes:
    return b"" if call.body is None else json.dumps(call.body).encode()


@contextlib.contextmanager
def two_hosts() -> Iterator[Hosts]:
    """They are loaded once, and each schedule opens them anew."""
    loop = VirtualTimeLoop()
    asyncio.set_event_loop(loop)
    hosts = Hosts(loop)

    class Clock:
        """In place of `time`, where positions are drawn."""

        @staticmethod
        def time_ns() -> int:
            assert hosts.schedule
            return hosts.schedule.time_ns()

    def note(raised: BaseException) -> str:
        attempt: Try | None = sender.get(None)
        if attempt:
            attempt.unforeseen = raised
        return repr(raised)

    writes = "conversations.resources.{}.writes.time"
    with (
        patch("conversations.database.transport.ClientSession", hosts.network.session),
        patch("conversations.api.edge._whereabouts", note),
        patch(writes.format("conversations"), Clock),
        patch(writes.format("items"), Clock),
    ):
        loop.run_until_complete(hosts.open())
        try:
            yield hosts
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            loop.close()
