"""What was acknowledged stays: when processes are killed under load, and when updates race."""

import http.client
import json
import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import START_SECONDS, Server, emulator_key, reserved_port, serve

KILLS = 3
WRITERS = 4
# Acknowledged requests between two kills: enough that every writer is in its stride.
STRIDE = 40


class Deployment:
    """Host and stand-in, in one process or two, each of which comes back where it was."""

    def __init__(
        self, folder: Path, host_port: int, cosmos_port: int, parts: Sequence[str]
    ) -> None:
        self.url = f"http://127.0.0.1:{host_port}"
        data = f"--data={folder / 'data.sqlite3'}"
        cosmos = f"http://127.0.0.1:{cosmos_port}"
        self._settings = {"COSMOS_ENDPOINT": cosmos, "COSMOS_KEY": emulator_key()}
        self._arguments = {
            "both": [
                f"--port={host_port}",
                f"--cosmos-port={cosmos_port}",
                "--dashboard-port=0",
                data,
            ],
            "cosmos": ["cosmos", f"--port={cosmos_port}", data],
            "host": ["host", f"--port={host_port}"],
        }
        self._servers: dict[str, Server] = {}
        self._stack = ExitStack()
        for part in parts:
            self.start(part)

    def start(self, part: str) -> None:
        """Start one process and wait until it serves."""
        server = serve(*self._arguments[part], settings=self._settings)
        self._servers[part] = self._stack.enter_context(server)

    def kill(self, part: str) -> None:
        """SIGKILL: nothing is said, flushed or closed."""
        assert self._servers[part].stop(signal.SIGKILL) == -signal.SIGKILL

    def close(self) -> None:
        """End everything."""
        self._stack.close()


@pytest.fixture
def deployment(tmp_path: Path, parts: list[str]) -> Iterator[Deployment]:
    """The app over a stand-in, in the processes that `parts` names."""
    with reserved_port() as host_port, reserved_port() as cosmos_port:
        running = Deployment(tmp_path, host_port, cosmos_port, parts)
        try:
            yield running
        finally:
            running.close()


class Load:
    """Requests that go on until one is not acknowledged, which may only be after a kill."""

    def __init__(self) -> None:
        self.killing = False
        self._acknowledged = 0
        self._progress = threading.Condition()

    def acknowledged(self, rest: Rest, path: str, body: dict[str, Any]) -> Any:
        """Send one request. Returns what the answer says; None if there is no answer."""
        try:
            answer = rest.send("POST", path, json.dumps(body).encode(), JSON)
        except (OSError, http.client.HTTPException):
            assert self.killing
            return None
        if answer.status != 200:
            assert self.killing, answer
            assert answer.status in {503, 504}, answer
            return None
        with self._progress:
            self._acknowledged += 1
            self._progress.notify_all()
        return answer.json()

    def wait(self, count: int) -> None:
        """Block until `count` more requests were acknowledged."""
        with self._progress:
            goal = self._acknowledged + count
            assert self._progress.wait_for(lambda: self._acknowledged >= goal, START_SECONDS)


@dataclass
class Writer:
    """Updates a conversation of its own, each time with the next number."""

    rest: Rest
    conversation: dict[str, Any]
    sent: int = 0
    acknowledged: int = 0

    def write(self, load: Load) -> None:
        """Update until that fails."""
        while True:
            self.sent += 1
            path = f"{CONVERSATIONS}/{self.conversation['id']}"
            answer = load.acknowledged(self.rest, path, {"metadata": numbered(self.sent)})
            if answer is None:
                return
            assert answer == {**self.conversation, "metadata": numbered(self.sent)}
            self.acknowledged = self.sent

    def check(self) -> None:
        """The stored conversation is whole, and not older than the last acknowledged update."""
        stored = self.rest.retrieve(self.conversation["id"]).json()
        number = int(stored["metadata"]["n"])
        assert self.acknowledged <= number <= self.sent
        assert stored == {**self.conversation, "metadata": numbered(number)}


@dataclass
class Creator:
    """Creates conversations."""

    rest: Rest
    created: list[dict[str, Any]] = field(default_factory=list)

    def write(self, load: Load) -> None:
        """Create until that fails."""
        while True:
            body = {"metadata": numbered(len(self.created))}
            answer = load.acknowledged(self.rest, CONVERSATIONS, body)
            if answer is None:
                return
            self.created.append(answer)

    def check(self) -> None:
        """Every acknowledged conversation is there."""
        for conversation in self.created:
            assert self.rest.retrieve(conversation["id"]).json() == conversation


@dataclass
class Appender:
    """Appends to a conversation of its own, three items at a time, each time with the next number.

    Nothing is sent again, so what was not acknowledged is there once or not at all.
    """

    rest: Rest
    conversation: dict[str, Any]
    sent: int = 0
    acknowledged: list[int] = field(default_factory=list)

    def write(self, load: Load) -> None:
        """Append until that fails."""
        path = f"{CONVERSATIONS}/{self.conversation['id']}/items"
        while True:
            self.sent += 1
            texts = [f"{self.sent}.{part}" for part in "abc"]
            items = [{"role": "user", "content": text} for text in texts]
            if load.acknowledged(self.rest, path, {"items": items}) is None:
                return
            self.acknowledged.append(self.sent)

    def check(self) -> None:
        """Every acknowledged call is there, once and whole, in the order of the calls."""
        texts = list(self._texts())
        calls = [int(text.partition(".")[0]) for text in texts[::3]]
        assert texts == [f"{call}.{part}" for call in calls for part in "abc"]
        assert calls == sorted(set(calls))
        assert set(self.acknowledged) <= set(calls) <= set(range(1, self.sent + 1))

    def _texts(self) -> Iterator[str]:
        path = f"{CONVERSATIONS}/{self.conversation['id']}/items?order=asc&limit=100"
        page = self.rest.send("GET", path).json()
        while True:
            yield from (item["content"][0]["text"] for item in page["data"])
            if not page["has_more"]:
                return
            page = self.rest.send("GET", f"{path}&after={page['last_id']}").json()


def numbered(number: int) -> dict[str, str]:
    """Metadata that tells if it is whole: every pair says the same."""
    return {"n": str(number), **{f"k{index}": f"{number}." * 50 for index in range(8)}}


@pytest.mark.parametrize(
    ("parts", "victim"),
    [
        pytest.param(["both"], "both", id="one process"),
        pytest.param(["cosmos", "host"], "cosmos", id="stand-in"),
        pytest.param(["cosmos", "host"], "host", id="host"),
    ],
)
def test_no_acknowledged_write_is_lost_when_a_process_is_killed(
    deployment: Deployment, victim: str
) -> None:
    rest = Rest(deployment.url, f"user-{secrets.token_hex(8)}")
    workers: list[Creator | Writer | Appender] = [Creator(rest), Appender(rest, rest.create())]
    workers += [Writer(rest, rest.create(numbered(0))) for _ in range(WRITERS)]
    with ThreadPoolExecutor(len(workers)) as pool:
        for _ in range(KILLS):
            load = Load()
            writing = [pool.submit(worker.write, load) for worker in workers]
            load.wait(STRIDE)
            load.killing = True
            deployment.kill(victim)
            for one in writing:
                one.result()

            deployment.start(victim)

            for worker in workers:
                worker.check()


def test_racing_updates_leave_one_of_the_sent_values(rest: Rest) -> None:
    created = rest.create(numbered(0))
    sent = [numbered(number) for number in range(1, 301)]

    def update(metadata: dict[str, str]) -> None:
        answer = rest.update(created["id"], {"metadata": metadata})
        assert answer.status == 200, answer
        assert answer.json() == {**created, "metadata": metadata}

    def retrieve(_: int) -> dict[str, Any]:
        conversation = rest.retrieve(created["id"]).json()
        assert isinstance(conversation, dict)
        return conversation

    with ThreadPoolExecutor(32) as pool:
        seen = pool.map(retrieve, range(50))
        list(pool.map(update, sent))

    possible = [{**created, "metadata": metadata} for metadata in (numbered(0), *sent)]
    assert all(conversation in possible for conversation in seen)
    assert retrieve(0) in possible[1:]


def test_an_update_that_races_a_delete_does_not_bring_the_conversation_back(rest: Rest) -> None:
    for _ in range(10):
        id_ = rest.create()["id"]
        with ThreadPoolExecutor(8) as pool:
            updates = [pool.submit(rest.update, id_, {"metadata": {}}) for _ in range(7)]
            deleted = pool.submit(rest.delete, id_)

        assert deleted.result().status == 200
        assert {update.result().status for update in updates} <= {200, 404}
        assert rest.retrieve(id_).status == 404
