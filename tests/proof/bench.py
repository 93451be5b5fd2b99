"""Hosts and stand-in in this process and in virtual time, driven from a test that is not async."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import azure.functions as func

from conversations.app import Parts
from conversations.database.session import Session
from conversations.resources.conversations.documents import deletion
from conversations.resources.items.documents import new_documents
from conversations.resources.sweep import Sweep
from local.cosmos.storage import Key
from tests.proof.calls import BASE, ISOLATION, Host
from tests.proof.network import CONTAINER, ENDPOINT, Carrier, Network, StandIn
from tests.support.servers import emulator_key
from tests.support.virtual_time import VirtualTimeLoop

START = 1_800_000_000
Result = TypeVar("Result")


class Bench:
    """`advance` moves the clock that dates documents and ages deletions; the loop's is its own."""

    def __init__(self, loop: VirtualTimeLoop, network: Network, hosts: list[Host]) -> None:
        self.loop = loop
        self.hosts = hosts
        self._network = network
        self._ahead = 0.0

    @property
    def stand_in(self) -> StandIn:
        """The account."""
        assert self._network.stand_in
        return self._network.stand_in

    def now(self) -> float:
        """The time of day."""
        return START + self.loop.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass in which nothing happens."""
        self._ahead += seconds

    def use(self, consistency: str = "Session") -> None:
        """Begin with an empty account, which every host opens anew."""
        if self._network.stand_in:
            self._network.stand_in.close()
        self._network.stand_in = StandIn(self.now, consistency)
        self._network.carrier = None
        self.run(self.close())

    async def close(self) -> None:
        """Let every host forget its client."""
        for host in self.hosts:
            await host.parts.client.close()

    def befall(self, carrier: Carrier | None) -> None:
        """Let every request about documents go by way of `carrier`."""
        self._network.carrier = carrier

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something to its end."""
        return self.loop.run_until_complete(work)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "somebody",
        host: int = 0,
        key: str | None = None,
    ) -> func.HttpResponse:
        """Ask one of the hosts."""
        headers = {ISOLATION: user, "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.hosts[host].answer(method, f"{BASE}/conversations{path}", headers, content)
        return self.run(answer)

    def asked(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Ask one of the hosts for what must succeed. Returns the JSON."""
        answer = self.request(method, path, body, **more)
        assert answer.status_code == 200, answer.get_body()
        return json.loads(answer.get_body())

    async def sweep(self) -> None:
        """One sweep, by the first host."""
        await Sweep(Session(self.hosts[0].parts.client, 5), self.now).run()

    def fill(self, documents: list[dict[str, Any]]) -> None:
        """Store documents as if they had always been there."""
        storage = self.stand_in.storage
        with storage.transaction():
            for one in documents:
                key = json.dumps([one["isolation_key"]])
                storage.put(Key(CONTAINER, key, one["id"]), one)

    def left(self) -> dict[str, int]:
        """How many documents there are of each type."""
        count: dict[str, int] = {}
        for document in self.stand_in.everything():
            count[document["type"]] = count.get(document["type"], 0) + 1
        return count


@contextmanager
def bench() -> Iterator[Bench]:
    """Two hosts on one account."""
    loop, network = VirtualTimeLoop(), Network()
    asyncio.set_event_loop(loop)
    environment = {"COSMOS_ENDPOINT": ENDPOINT, "COSMOS_KEY": emulator_key()}
    with patch("conversations.database.transport.ClientSession", network.session):
        made = Bench(loop, network, [Host(Parts(environment)) for _ in range(2)])
        made.use()
        with loop.in_real_time():  # the first opening needs a thread
            for host in made.hosts:
                made.run(_open(host))
        yield made
        made.run(made.close())
        asyncio.set_event_loop(None)
        loop.close()


async def _open(host: Host) -> None:
    await host.parts.client.documents()


def delete_leaving(world: Bench, items: int, user: str = "somebody", name: str = "gone") -> str:
    """What is there when a conversation of so many items was deleted and none of them purged."""
    id_ = f"conv_{name}"
    stored = [{"id": f"msg_{n}"} for n in range(items)]
    world.fill(new_documents(user, id_, stored, request="-", first_position=1))
    world.fill([deletion(user, id_, "-")])
    return id_


def until_nothing_is_left(world: Bench) -> int:
    """Sweep, as the timer does, until no marker is there. Returns how often."""
    for count in range(1, 100):
        world.run(world.sweep())
        if "deletion" not in world.left():
            return count
        world.advance(900)
    raise AssertionError(world.left())
