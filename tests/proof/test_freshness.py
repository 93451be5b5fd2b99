"""What one instance was answered, another sees; on Session a list alone may be late."""

import asyncio
import json
from typing import Any

import pytest

from tests.proof.bench import Bench
from tests.proof.network import CarryOut, Received, Sent

LAG = 5  # transactions that a replica is behind
HELLO = {"items": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def session(two_hosts: Bench) -> Bench:
    two_hosts.use("Session")
    two_hosts.stand_in.storage.lag = LAG
    return two_hosts


@pytest.fixture(params=["Strong", "BoundedStaleness"])
def strong(two_hosts: Bench, request: pytest.FixtureRequest) -> Bench:
    two_hosts.use(request.param)
    two_hosts.stand_in.storage.lag = LAG
    return two_hosts


def listed(bench: Bench, id_: str, host: int) -> list[str]:
    return [one["id"] for one in bench.asked("GET", f"/{id_}/items", host=host)["data"]]


def test_with_strong_every_list_has_what_was_answered_before(strong: Bench) -> None:
    id_ = strong.asked("POST", "", {}, host=0)["id"]
    expected: list[str] = []
    for number in range(10):
        added = strong.asked("POST", f"/{id_}/items", HELLO, host=number % 2)
        expected.insert(0, added["data"][0]["id"])
        for host in (0, 1):
            assert listed(strong, id_, host) == expected
    strong.asked("DELETE", f"/{id_}/items/{expected.pop(3)}", host=0)
    assert listed(strong, id_, 1) == expected
    conversations = strong.asked("GET", "", host=1)["data"]
    assert [one["id"] for one in conversations] == [id_]


def test_on_session_an_instance_lists_all_that_it_was_answered_itself(session: Bench) -> None:
    id_ = session.asked("POST", "", {}, host=0)["id"]
    expected: list[str] = []
    for _ in range(10):
        expected.insert(0, session.asked("POST", f"/{id_}/items", HELLO)["data"][0]["id"])
        assert listed(session, id_, 0) == expected
        assert [one["id"] for one in session.asked("GET", "")["data"]] == [id_]


def test_on_session_another_instances_list_is_late_by_what_the_replica_is(session: Bench) -> None:
    id_ = session.asked("POST", "", {}, host=0)["id"]
    session.asked("GET", f"/{id_}", host=1)
    added = [session.asked("POST", f"/{id_}/items", HELLO)["data"][0]["id"] for _ in range(10)]

    async def in_a_moment(_: Sent, carry_out: CarryOut) -> Received:
        await asyncio.sleep(0.01)
        return await carry_out()

    session.befall(in_a_moment)  # so that the query is under way before anything else is answered
    items = listed(session, id_, 1)
    assert items == added[: len(added) - LAG][::-1]  # the oldest, without a gap
    # That request has seen the conversation in its newest state: the next list is no older.
    assert listed(session, id_, 1) == added[::-1]


def test_on_session_a_retrieve_asks_by_a_batch_before_it_says_404(session: Bench) -> None:
    assert session.request("GET", "/conv_unknown", host=1).status_code == 404
    asked: list[tuple[str, bool]] = []

    async def note(sent: Sent, carry_out: CarryOut) -> Received:
        asked.append((sent.method, sent.is_batch))
        return await carry_out()

    created = session.asked("POST", "", {"metadata": {"a": "b"}}, host=0)
    session.befall(note)

    assert session.asked("GET", f"/{created['id']}", host=1) == created
    assert asked == [("GET", False), ("POST", True)]
    asked.clear()
    assert session.request("GET", "/conv_unknown", host=1).status_code == 404
    assert asked == [("GET", False), ("POST", True)]


def test_with_strong_a_retrieve_asks_once(strong: Bench) -> None:
    asked: list[str] = []

    async def note(sent: Sent, carry_out: CarryOut) -> Received:
        asked.append(sent.method)
        return await carry_out()

    strong.befall(note)
    assert strong.request("GET", "/conv_unknown", host=1).status_code == 404
    assert asked == ["GET"]


def test_on_session_nothing_but_lists_and_bodies_is_late(session: Bench) -> None:
    def by(host: int, method: str, path: str, body: Any = None) -> int:
        return int(session.request(method, path, body, host=host).status_code)

    id_ = session.asked("POST", "", {"metadata": {"a": "0"}}, host=0)["id"]
    item = session.asked("POST", f"/{id_}/items", HELLO, host=0)["data"][0]["id"]

    assert by(1, "GET", f"/{id_}/items/{item}") == 200
    assert by(1, "POST", f"/{id_}/items", HELLO) == 200
    assert by(0, "POST", f"/{id_}", {"metadata": {"a": "1"}}) == 200
    merged = session.hosts[1].answer(
        "POST",
        f"/openai/v1/conversations/{id_}",
        {
            "x-ms-user-isolation-key": "somebody",
            "Content-Type": "application/merge-patch+json",
        },
        b'{"metadata": {"b": "2"}}',
    )
    assert json.loads(session.run(merged).get_body())["metadata"] == {"a": "1", "b": "2"}
    assert by(0, "DELETE", f"/{id_}/items/{item}") == 200
    assert by(1, "GET", f"/{id_}/items/{item}") == 404
    assert by(1, "DELETE", f"/{id_}") == 200
    for host in (0, 1):
        assert by(host, "POST", f"/{id_}/items", HELLO) == 404
        assert by(host, "POST", f"/{id_}", {"metadata": {}}) == 404
        assert by(host, "GET", f"/{id_}/items") == 404
    assert "item" not in session.left()
