"""ETag, If-Match, If-None-Match: docs/contract.md#conditional-requests; RFC 9110, section 13."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support import raw
from tests.support.at_once import at_once
from tests.support.errors import assert_error
from tests.support.rest import (
    CONVERSATIONS,
    Answer,
    Rest,
    assert_usual_headers,
    items_of,
    message,
    ok,
)

CHANGED = (
    412,
    "precondition_failed",
    "If-Match",
    "The conversation has changed since it was read: its ETag is not one of those in 'If-Match'.",
)
OTHER = '"0123456789abcdef"'

Write = Callable[[str, dict[str, str]], Answer]


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create({"a": "1"})["id"])


@pytest.fixture(params=["update", "merge", "empty merge", "delete"])
def write(rest: Rest, request: pytest.FixtureRequest) -> Write:
    """Each of the operations that honour If-Match: of a conversation's id and headers."""
    writes: dict[str, Write] = {
        "update": lambda id_, headers: rest.update(id_, {"metadata": {"b": "2"}}, headers),
        "merge": lambda id_, headers: rest.merge(id_, {"metadata": {"b": "2"}}, headers),
        "empty merge": lambda id_, headers: rest.merge(id_, {}, headers),
        "delete": rest.delete,
    }
    return writes[request.param]


def test_every_answer_of_one_conversation_has_its_version(rest: Rest) -> None:
    created = rest.post(CONVERSATIONS, {"items": [message(id="msg_1")]})
    id_ = created.json()["id"]
    retrieved = rest.retrieve(id_)
    updated = rest.update(id_, {"metadata": {}})
    item_deleted = rest.delete_item(id_, "msg_1")

    for answer in (created, retrieved, updated, item_deleted):
        assert ok(answer)["id"] == id_
        assert re.fullmatch('"[0-9a-f]{16}"', answer.etag)
    assert created.etag == retrieved.etag
    assert updated.etag == item_deleted.etag != created.etag


def test_no_other_answer_has_a_version(rest: Rest, conversation_id: str) -> None:
    rest.add(conversation_id, message(id="msg_1"))

    for answer in (
        rest.list_conversations(),
        rest.list_items(conversation_id),
        rest.append(conversation_id, [message()]),
        rest.retrieve_item(conversation_id, "msg_1"),
        rest.delete(conversation_id),
        rest.retrieve(conversation_id),
    ):
        assert "etag" not in answer.headers


def test_every_update_makes_a_new_version_and_nothing_else_does(
    rest: Rest, conversation_id: str
) -> None:
    same = {"metadata": {"a": "1"}}
    writes = (rest.update, rest.update, rest.merge, rest.merge)
    seen = [rest.retrieve(conversation_id).etag]
    seen += [write(conversation_id, same).etag for write in writes]
    assert len(set(seen)) == 5

    for step in (
        partial(rest.add, conversation_id, message(id="msg_1")),
        partial(rest.append, conversation_id, [message()], {"Idempotency-Key": "k"}),
        partial(rest.merge, conversation_id, {}),
        partial(rest.delete_item, conversation_id, "msg_1"),
        partial(rest.update, conversation_id, {"metadata": 1}),
        partial(rest.update, conversation_id, same, {"If-Match": OTHER}),
        partial(rest.list_items, conversation_id),
    ):
        step()
        assert rest.retrieve(conversation_id).etag == seen[-1]


MATCHING = [
    "{etag}",
    "*",
    " * ",
    " {etag} ",
    "{etag},",
    f"{OTHER}, {{etag}}",
    f"{{etag}} ,\t{OTHER}",
    f', ,{OTHER},,"","x,y",{{etag}},',
    f"W/{OTHER}, {{etag}}",
]


@pytest.mark.parametrize("value", MATCHING)
def test_a_write_happens_when_the_version_is_in_the_list(
    rest: Rest, conversation_id: str, write: Write, value: str
) -> None:
    etag = rest.retrieve(conversation_id).etag

    answer = write(conversation_id, {"If-Match": value.format(etag=etag)})

    ok(answer)


NOT_MATCHING = [
    OTHER,
    "W/{etag}",
    f"{OTHER}, W/{{etag}}",
    '""',
    '"*"',
    '"x"',
    '"{bare}x"',
    '"\';DROP"',
    f"{OTHER}," * 3,
    ",".join(f'"{n:016x}"' for n in range(200)),
]


@pytest.mark.parametrize("value", NOT_MATCHING, ids=lambda value: value[:30])
def test_nothing_is_written_when_it_is_not(
    rest: Rest, conversation_id: str, write: Write, value: str
) -> None:
    rest.add(conversation_id, message(id="msg_1"))
    before = rest.retrieve(conversation_id)
    bare = before.etag.strip('"')
    sent = value.format(etag=before.etag, bare=bare)

    answer = write(conversation_id, {"If-Match": sent})

    assert_error(answer, *CHANGED)
    after = rest.retrieve(conversation_id)
    assert (after.json(), after.etag) == (before.json(), before.etag)
    assert rest.list_items(conversation_id).ids == ["msg_1"]


ILL_FORMED = ["", ",", " , ,", "x", "'x'", '"', '"a" "b"', '"a"x', "w/" + OTHER, "*, " + OTHER]
ILL_FORMED += ['"a b"', "W/ " + OTHER, f"{OTHER};q=1", "0123456789abcdef", "**"]


@pytest.mark.parametrize("value", ILL_FORMED)
def test_an_ill_formed_list_is_refused_before_the_body_is_read(
    rest: Rest, write: Write, value: str
) -> None:
    answer = write("conv_0", {"If-Match": value})

    expected = "Invalid 'If-Match': expected '*' or entity tags in quotes, separated by commas."
    assert_error(answer, 400, "invalid_value", "If-Match", expected)


def test_several_lines_are_one_list(rest: Rest, conversation_id: str) -> None:
    etag = rest.retrieve(conversation_id).etag.encode()
    target = f"{CONVERSATIONS}/{conversation_id}".encode()
    user = (b"x-ms-user-isolation-key", str(rest.isolation_key).encode())
    content = (b"Content-Type", b"application/json")
    lines = [(b"If-Match", OTHER.encode()), (b"If-Match", b"W/" + etag)]

    def update(headers: list[tuple[bytes, bytes]]) -> Answer:
        sent = raw.request(b"POST", target, [user, content, *headers], b'{"metadata": {}}')
        return raw.send(rest.base_url, sent)

    assert update(lines).status == 412
    assert update([*lines, (b"if-match", etag)]).status == 200


def test_a_missing_conversation_beats_a_version_and_a_wrong_body_beats_both(
    rest: Rest, conversation_id: str, write: Write
) -> None:
    assert rest.delete(conversation_id).status == 200

    for value in (OTHER, "*", '"x"'):
        expected = f"Conversation with id '{conversation_id}' not found."
        assert_error(write(conversation_id, {"If-Match": value}), 404, None, None, expected)
        for send in (rest.update, rest.merge):
            answer = send(conversation_id, {"metadata": 1}, {"If-Match": value})
            assert (answer.status, answer.error["code"]) == (400, "invalid_type")


def test_a_merge_that_would_be_over_the_limit_is_412_first(
    rest: Rest, conversation_id: str
) -> None:
    seventeen = {"metadata": {str(n): "" for n in range(17)}}

    assert_error(rest.merge(conversation_id, seventeen, {"If-Match": OTHER}), *CHANGED)


@pytest.mark.parametrize("merge", [False, True])
def test_of_twenty_racing_updates_with_one_version_exactly_one_wins(
    rest: Rest, conversation_id: str, merge: bool
) -> None:
    headers = {"If-Match": rest.retrieve(conversation_id).etag}
    send = rest.merge if merge else rest.update
    calls = [
        partial(send, conversation_id, {"metadata": {"won": str(n)}}, headers) for n in range(20)
    ]

    answers = at_once(calls)

    (won,) = [answer for answer in answers if answer.status == 200]
    for answer in answers:
        if answer is not won:
            assert_error(answer, *CHANGED)
    after = rest.retrieve(conversation_id)
    assert (after.json(), after.etag) == (won.json(), won.etag)


def test_a_delete_and_an_update_of_one_version_do_not_both_happen(
    rest: Rest, conversation_id: str
) -> None:
    headers = {"If-Match": rest.retrieve(conversation_id).etag}

    updated, deleted = at_once(
        [
            partial(rest.update, conversation_id, {"metadata": {}}, headers),
            partial(rest.delete, conversation_id, headers),
        ]
    )

    assert sorted([updated.status, deleted.status]) in ([200, 404], [200, 412])
    assert rest.retrieve(conversation_id).status == (404 if deleted.status == 200 else 200)


@pytest.mark.parametrize("value", [*MATCHING, "W/{etag}", f"{OTHER}, W/{{etag}}"])
def test_what_the_caller_has_already_is_not_sent_again(
    rest: Rest, conversation_id: str, value: str
) -> None:
    etag = rest.retrieve(conversation_id).etag
    headers = {"If-None-Match": value.format(etag=etag), "x-ms-client-request-id": "mine"}

    answer = rest.retrieve(conversation_id, headers)

    assert answer.status == 304
    assert answer.body == b""
    assert answer.etag == etag
    assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", answer.headers["x-request-id"])
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert answer.headers["x-ms-client-request-id"] == "mine"


@pytest.mark.parametrize("value", [OTHER, f"W/{OTHER}", '""', '"*"', f'{OTHER},"x"'])
def test_what_the_caller_has_not_is_sent(rest: Rest, conversation_id: str, value: str) -> None:
    answer = rest.retrieve(conversation_id, {"If-None-Match": value})

    assert ok(answer)["id"] == conversation_id


def test_what_has_changed_since_is_sent(rest: Rest, conversation_id: str) -> None:
    etag = rest.retrieve(conversation_id).etag
    updated = rest.update(conversation_id, {"metadata": {"new": "yes"}})

    answer = rest.retrieve(conversation_id, {"If-None-Match": etag})

    assert ok(answer) == updated.json()
    assert answer.etag == updated.etag != etag


@pytest.mark.parametrize("value", ILL_FORMED)
def test_an_ill_formed_if_none_match(rest: Rest, value: str) -> None:
    answer = rest.retrieve("conv_0", {"If-None-Match": value})

    expected = (
        "Invalid 'If-None-Match': expected '*' or entity tags in quotes, separated by commas."
    )
    assert_error(answer, 400, "invalid_value", "If-None-Match", expected)


@pytest.mark.parametrize("value", ["*", OTHER, "W/" + OTHER])
def test_a_missing_conversation_is_missing_whatever_the_caller_has(rest: Rest, value: str) -> None:
    answer = rest.retrieve("conv_0", {"If-None-Match": value})

    assert_error(answer, 404, None, None, "Conversation with id 'conv_0' not found.")


@pytest.mark.parametrize("value", [OTHER, "*", "ill-formed"])
def test_other_operations_ignore_both(rest: Rest, value: str) -> None:
    if_match, if_none_match = {"If-Match": value}, {"If-None-Match": value}
    both = {**if_match, **if_none_match}
    created = rest.post(CONVERSATIONS, {}, both)
    id_ = created.json()["id"]
    item = items_of(id_) + "/msg_1"

    answers: list[Any] = [
        created,
        rest.retrieve(id_, if_match),
        rest.update(id_, {"metadata": {}}, if_none_match),
        rest.merge(id_, {"metadata": {}}, if_none_match),
        rest.append(id_, [message(id="msg_1")], both),
        rest.send("GET", items_of(id_), headers=both),
        rest.send("GET", CONVERSATIONS, headers=both),
        rest.send("GET", item, headers=both),
        rest.send("DELETE", item, headers=both),
        rest.delete(id_, if_none_match),
    ]

    for answer in answers:
        assert_usual_headers(answer)
    assert [answer.status for answer in answers] == [200] * 10
