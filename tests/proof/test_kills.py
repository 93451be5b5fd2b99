"""A host is killed, before and after every single request of a write: repeated, it is done once."""

import http.client
import json
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.support.cosmos_wire import CosmosWire
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest
from tests.support.servers import START_SECONDS, Server, serve_host

MERGE = {"Content-Type": "application/merge-patch+json"}
# Acknowledged appends before the kill: enough that every writer is in its stride.
STRIDE = 60
WRITERS = 3  # on each of the two hosts


@dataclass
class Write:
    """One kind: how it is called, and whether the API shows that it was done, and done once."""

    method: str
    path: str
    body: Any
    is_done: Callable[[Rest, str], bool]
    headers: dict[str, str] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset({200})
    """The statuses of a repetition of what was done."""

    def send(self, rest: Rest, conversation_id: str, key: str) -> Answer:
        """Call it; creates alone look at the key."""
        headers = {**JSON, **self.headers, "Idempotency-Key": key}
        path = CONVERSATIONS + self.path.format(conversation_id)
        content = None if self.body is None else json.dumps(self.body).encode()
        return rest.send(self.method, path, content, headers)


def items(*texts: str) -> list[dict[str, str]]:
    return [{"id": f"msg_{text}", "role": "user", "content": text} for text in texts]


def stored_items(rest: Rest, conversation_id: str) -> list[str]:
    """The texts of all items, oldest first."""
    texts: list[str] = []
    after = ""
    while True:
        query = f"?order=asc&limit=100{after}"
        answer = rest.send("GET", f"{CONVERSATIONS}/{conversation_id}/items{query}")
        assert answer.status == 200, answer
        page = answer.json()
        texts += [item["content"][0]["text"] for item in page["data"]]
        if not page["has_more"]:
            return texts
        after = f"&after={page['last_id']}"


def metadata(rest: Rest, conversation_id: str) -> Any:
    return rest.retrieve(conversation_id).json()["metadata"]


def conversations(rest: Rest) -> list[str]:
    listed = rest.send("GET", f"{CONVERSATIONS}?limit=100").json()["data"]
    return [one["id"] for one in listed]


def created(rest: Rest, other: str, texts: list[str]) -> bool:
    """Whether there is one conversation beside the other, with these items."""
    made = [id_ for id_ in conversations(rest) if id_ != other]
    return len(made) == 1 and stored_items(rest, made[0]) == texts


BEFORE = ["x", "y", "z"]  # the items that the conversation has at first
WRITES = {
    "create": Write("POST", "", {}, lambda rest, id_: created(rest, id_, [])),
    "create with items": Write(
        "POST", "", {"items": items("a", "b")}, lambda rest, id_: created(rest, id_, ["a", "b"])
    ),
    "append": Write(
        "POST",
        "/{}/items",
        {"items": items("a", "b")},
        lambda rest, id_: stored_items(rest, id_) == [*BEFORE, "a", "b"],
    ),
    "update": Write(
        "POST", "/{}", {"metadata": {"b": "1"}}, lambda rest, id_: metadata(rest, id_) == {"b": "1"}
    ),
    "merge": Write(
        "POST",
        "/{}",
        {"metadata": {"b": "1"}},
        lambda rest, id_: metadata(rest, id_) == {"a": "0", "b": "1"},
        headers=MERGE,
    ),
    "delete": Write(
        "DELETE",
        "/{}",
        None,
        lambda rest, id_: rest.retrieve(id_).status == 404,
        repeated=frozenset({404}),
    ),
    "delete item": Write(
        "DELETE",
        "/{}/items/msg_y",
        None,
        lambda rest, id_: stored_items(rest, id_) == ["x", "z"],
        repeated=frozenset({404}),
    ),
}


@pytest.fixture
def user(wired: Rest) -> Rest:
    """A user of the host that stays."""
    return wired


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", WRITES)
def test_a_host_killed_at_any_request_of_a_write_has_done_it_once_or_not(
    user: Rest, wire: CosmosWire, kind: str, carried_out: bool
) -> None:
    write = WRITES[kind]
    killed_at = 0
    while _killed(write, user, wire, killed_at, carried_out):
        killed_at += 1
    assert killed_at >= 1


def _killed(write: Write, user: Rest, wire: CosmosWire, at: int, carried_out: bool) -> bool:
    """Kill a host at a request; check what is stored, and again after a repetition elsewhere.

    Returns False if the write has no such request.
    """
    user = user.as_user(f"user-{secrets.token_hex(8)}")
    content = json.dumps({"metadata": {"a": "0"}, "items": items(*BEFORE)}).encode()
    id_ = user.send("POST", CONVERSATIONS, content, JSON).json()["id"]
    key = secrets.token_hex(8)
    with serve_host(wire.url) as victim:
        rest = Rest(victim.url, user.isolation_key)
        # The client of a new host opens with its first request.
        assert rest.retrieve(id_).status == 200
        wire.fault = _kill(victim, wire, at, carried_out)
        try:
            write.send(rest, id_, key)
        except (OSError, http.client.HTTPException):
            pass
        else:
            wire.fault = None
            assert write.is_done(user, id_)
            return False
        wire.fault = None
        assert victim.process.wait(START_SECONDS) == -signal.SIGKILL

    was_done = write.is_done(user, id_)
    answer = write.send(user, id_, key)
    assert answer.status in (write.repeated if was_done else {200}), answer
    assert write.is_done(user, id_)
    if "idempotent-replayed" in answer.headers:
        assert was_done
    return True


def _kill(victim: Server, wire: CosmosWire, at: int, carried_out: bool) -> Any:
    seen = 0

    async def fault(request: web.BaseRequest) -> web.StreamResponse | None:
        nonlocal seen
        if "/docs/" not in request.path:
            return None
        seen += 1
        if seen <= at:
            return None
        if seen == at + 1:
            if carried_out:
                await wire.stand_in(request)
            victim.process.send_signal(signal.SIGKILL)
        return web.Response(status=503)  # nobody is there to read it

    return fault


@dataclass
class Writer:
    """Appends calls of three items each, one after the other, until its host is gone."""

    rest: Rest
    conversation_id: str
    name: str
    acknowledged: int = 0

    def call(self, number: int) -> list[str]:
        """The texts of one call."""
        return [f"{self.name}.{number}.{part}" for part in range(3)]

    def append(self, rest: Rest, number: int) -> Answer:
        """Make a call, with a key of its own."""
        sent = [{"role": "user", "content": text} for text in self.call(number)]
        return rest.send(
            "POST",
            f"{CONVERSATIONS}/{self.conversation_id}/items",
            json.dumps({"items": sent}).encode(),
            {**JSON, "Idempotency-Key": f"{self.name}.{number}"},
        )

    def write(self, progress: threading.Semaphore, stop: threading.Event) -> None:
        """Append until told to stop, or until there is no answer."""
        while not stop.is_set():
            try:
                answer = self.append(self.rest, self.acknowledged)
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged += 1
                progress.release()
            else:
                # Others were faster for too long; nothing was stored, or the key will tell.
                assert answer.status in {429, 503, 504}, answer


@pytest.fixture
def victim(wire: CosmosWire) -> Iterator[Server]:
    with serve_host(wire.url) as server:
        yield server


def test_appends_through_a_killed_host_are_whole_in_order_and_once(
    user: Rest, wire: CosmosWire, victim: Server
) -> None:
    id_ = user.create()["id"]
    doomed = Rest(victim.url, user.isolation_key)
    writers = [
        Writer(rest, id_, f"{name}{number}")
        for name, rest in (("stays", user), ("doomed", doomed))
        for number in range(WRITERS)
    ]
    progress, stop = threading.Semaphore(0), threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        writing = [pool.submit(writer.write, progress, stop) for writer in writers]
        for _ in range(STRIDE):
            assert progress.acquire(timeout=START_SECONDS)
        assert victim.stop(signal.SIGKILL) == -signal.SIGKILL
        for _ in range(STRIDE // 2):
            assert progress.acquire(timeout=START_SECONDS)
        stop.set()
        for one in writing:
            one.result()

    _check(stored_items(user, id_), writers)
    for writer in writers:  # what had no answer is asked for again, of the other host
        assert writer.append(user, writer.acknowledged).status == 200
        writer.acknowledged += 1
    stored = stored_items(user, id_)
    _check(stored, writers)
    assert len(stored) == 3 * sum(writer.acknowledged for writer in writers)


def _check(stored: list[str], writers: list[Writer]) -> None:
    """Calls whole and adjacent; each writer's in the order of its answers; each once."""
    calls = [stored[at : at + 3] for at in range(0, len(stored), 3)]
    for writer in writers:
        mine = [call for call in calls if call[0].startswith(f"{writer.name}.")]
        assert mine == [writer.call(number) for number in range(len(mine))]
        assert writer.acknowledged <= len(mine) <= writer.acknowledged + 1
