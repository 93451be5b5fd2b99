"""Two instances of the app on one database: who serves a request must not be seen.

One of them is an hour ahead: the order of items is decided in the database, not by clocks
(docs/contract.md#concurrency-and-repetition).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.support.at_once import at_once
from tests.support.rest import Rest, message, ok
from tests.support.servers import emulator_key, serve, serve_cosmos, serve_host

USER = "user-of-two-hosts"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rest, Rest]]:
    with serve_cosmos(tmp_path_factory.mktemp("cosmos")) as cosmos:
        settings = {"COSMOS_ENDPOINT": cosmos.url, "COSMOS_KEY": emulator_key()}
        ahead = serve("host", "--port=0", settings=settings, module="tests.support.hour_ahead")
        with serve_host(cosmos.url) as one, ahead as other:
            yield Rest(one.url, USER), Rest(other.url, USER)


@dataclass(frozen=True)
class Call:
    """An append that was answered: when it began and ended, and the ids of its items."""

    began: float
    ended: float
    ids: list[str]


def append(rest: Rest, conversation_id: str) -> Call:
    began = time.monotonic()
    added = ok(rest.append(conversation_id, [message()] * 2))["data"]
    return Call(began, time.monotonic(), [item["id"] for item in added])


def test_the_clocks_differ(hosts: tuple[Rest, Rest]) -> None:
    one, other = (rest.create()["created_at"] for rest in hosts)

    assert 3500 < other - one < 3700


@pytest.mark.parametrize("first", [0, 1])
def test_calls_after_each_other_list_in_their_order(hosts: tuple[Rest, Rest], first: int) -> None:
    conversation_id = hosts[first].create(items=[message(id="msg_0")])["id"]

    calls = [append(hosts[(first + n) % 2], conversation_id) for n in range(12)]

    expected = ["msg_0", *(id_ for call in calls for id_ in call.ids)]
    for rest in hosts:
        assert [item["id"] for item in rest.all_items(conversation_id)] == expected


def test_a_call_lists_after_all_that_were_answered_when_it_began(hosts: tuple[Rest, Rest]) -> None:
    conversation_id = hosts[0].create()["id"]

    def write(rest: Rest) -> list[Call]:
        return [append(rest, conversation_id) for _ in range(8)]

    calls = [
        call for made in at_once([partial(write, rest) for rest in hosts * 2]) for call in made
    ]

    listed = [item["id"] for item in hosts[0].all_items(conversation_id)]
    assert [item["id"] for item in hosts[1].all_items(conversation_id)] == listed
    assert sorted(listed) == sorted(id_ for call in calls for id_ in call.ids)
    in_order = sorted(calls, key=lambda call: listed.index(call.ids[0]))
    assert listed == [id_ for call in in_order for id_ in call.ids]
    for place, call in enumerate(in_order):
        assert not [later for later in in_order[place + 1 :] if later.ended < call.began]


def test_what_one_has_answered_the_other_sees(hosts: tuple[Rest, Rest]) -> None:
    one, other = hosts
    key = {"Idempotency-Key": "k"}
    for writer, reader in ((one, other), (other, one)):
        conversation = writer.create({"n": "0"}, [message(id="msg_1")])
        id_ = conversation["id"]
        etag = reader.retrieve(id_).etag
        assert ok(reader.retrieve_item(id_, "msg_1"))["id"] == "msg_1"
        assert id_ in reader.list_conversations().ids
        first, repeated = (rest.append(id_, [message()], key) for rest in (writer, reader))
        assert ok(repeated) == ok(first)
        assert repeated.headers["idempotent-replayed"] == "true"
        writer.update(id_, {"metadata": {"n": "1"}})
        assert reader.update(id_, {"metadata": {}}, {"If-Match": etag}).status == 412
        assert writer.delete_item(id_, "msg_1").status == 200
        assert reader.retrieve_item(id_, "msg_1").status == 404
        assert writer.delete(id_).status == 200
        assert reader.list_items(id_).status == 404
        assert reader.append(id_, [message()]).status == 404


def test_of_racing_requests_to_both_one_wins(hosts: tuple[Rest, Rest]) -> None:
    conversation_id = hosts[0].create()["id"]
    etag = hosts[0].retrieve(conversation_id).etag
    keyed = [message("once")]

    appended = at_once(
        [
            partial(rest.append, conversation_id, keyed, {"Idempotency-Key": "k"})
            for rest in hosts * 5
        ]
    )
    updated = at_once(
        [
            partial(rest.update, conversation_id, {"metadata": {"n": str(n)}}, {"If-Match": etag})
            for n, rest in enumerate(hosts * 5)
        ]
    )

    assert len({answer.body for answer in appended}) == 1
    assert len(hosts[1].all_items(conversation_id)) == 1
    assert sorted(answer.status for answer in updated) == [200] + [412] * 9
