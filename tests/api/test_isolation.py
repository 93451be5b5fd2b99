"""Nobody sees, changes or detects another user's conversation, whatever the others do."""

import json
from typing import Any

import pytest

from tests.support import raw
from tests.support.errors import assert_error
from tests.support.isolation_keys import KEYS
from tests.support.rest import (
    CONVERSATIONS,
    Answer,
    Rest,
    items_of,
    message,
    ok,
)

ISOLATION_KEY = b"x-ms-user-isolation-key"

# What differs from one answer to the next whoever asks.
VOLATILE = {"x-request-id", "date", "openai-processing-ms"}


def what_tells(answer: Answer, conversation_id: str) -> tuple[int, dict[str, str], bytes]:
    """All that an answer tells beyond when it was given and which id was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status, headers, answer.body.replace(conversation_id.encode(), b"<id>")


def every_operation(rest: Rest, conversation_id: str) -> list[Answer]:
    """What the operations on one conversation and its items answer, the deleting one last."""
    key = {"Idempotency-Key": "the owner's"}
    return [
        rest.retrieve(conversation_id),
        rest.retrieve(conversation_id, {"If-None-Match": "*"}),
        rest.update(conversation_id, {"metadata": {"k": "v"}}),
        rest.update(conversation_id, {"metadata": None}),
        rest.update(conversation_id, {"metadata": {}}, {"If-Match": '"x"'}),
        rest.merge(conversation_id, {"metadata": {"k": None}}),
        rest.merge(conversation_id, {}),
        rest.list_items(conversation_id),
        rest.list_items(conversation_id, "order=asc&limit=1&item_type=message"),
        *(
            rest.list_items(conversation_id, f"{name}={cursor}")
            for name in ("after", "before")
            for cursor in ("msg_there", "msg_never", "", conversation_id)
        ),
        rest.append(conversation_id, [message()]),
        rest.append(conversation_id, [message(id="msg_there")]),
        rest.append(conversation_id, [message(id="msg_there")], key),
        rest.append(conversation_id, [message("another body")], key),
        rest.retrieve_item(conversation_id, "msg_there"),
        rest.retrieve_item(conversation_id, "msg_never"),
        rest.delete_item(conversation_id, "msg_there"),
        rest.delete_item(conversation_id, "msg_never"),
        rest.delete(conversation_id, {"If-Match": '"x"'}),
        *faulty_calls(rest, conversation_id),
        rest.delete(conversation_id),
    ]


def faulty_calls(rest: Rest, conversation_id: str) -> list[Answer]:
    """What calls answer that are refused before anybody looks for the conversation."""
    return [
        rest.update(conversation_id, {"metadata": {"k": 1}}),
        rest.update(conversation_id, {}),
        rest.update(conversation_id, b"{"),
        rest.append(conversation_id, []),
        rest.append(conversation_id, [{"role": "nobody"}]),
        rest.list_items(conversation_id, "limit=0"),
        rest.retrieve_item(conversation_id, "a.b"),
        rest.send("HEAD", f"{CONVERSATIONS}/{conversation_id}"),
        rest.send("PUT", items_of(conversation_id)),
    ]


def test_keys_that_look_alike_are_different_users(base_url: str) -> None:
    owned = {key: Rest(base_url, key).create() for key in KEYS}

    for key in KEYS:
        for owner, conversation in owned.items():
            answer = Rest(base_url, key).retrieve(conversation["id"])

            assert answer.status == (200 if key == owner else 404), (key, owner)
            if key == owner:
                assert answer.json() == conversation


@pytest.mark.parametrize(
    ("owner", "stranger"), [("alice", "bob"), ("alice", None), (None, "alice"), (None, "null")]
)
def test_a_foreign_conversation_cannot_be_told_from_a_missing_one(
    base_url: str, owner: str | None, stranger: str | None
) -> None:
    items = [message("secret", id="msg_there")]
    mine = Rest(base_url, owner)
    conversation = mine.create({"k": "secret"})
    gone = mine.create({"k": "secret"})
    for one in (conversation, gone):
        ok(mine.append(one["id"], items, {"Idempotency-Key": "the owner's"}))
    assert mine.delete(gone["id"]).status == 200
    never_was = "conv_" + "0" * 48
    other = Rest(base_url, stranger)

    foreign, *missing = (
        [what_tells(answer, id_) for answer in every_operation(other, id_)]
        for id_ in (conversation["id"], gone["id"], never_was)
    )

    assert missing == [foreign, foreign]
    statuses = [status for status, _, _ in foreign]
    assert statuses[:-10] == [404] * (len(statuses) - 10)
    assert statuses[-10:] == [400] * 7 + [405, 405, 404]
    assert mine.retrieve(conversation["id"]).json() == conversation
    assert [item["id"] for item in mine.all_items(conversation["id"])] == ["msg_there"]


def test_a_missing_item_is_told_like_a_foreign_one(base_url: str) -> None:
    """A conversation of one's own, an item of somebody else's under the same id or none."""
    alice, bob = Rest(base_url, "alice"), Rest(base_url, "bob")
    hers = alice.create(items=[message("secret", id="msg_hers")])["id"]
    his = bob.create()["id"]

    for item_id in ("msg_hers", "msg_never"):
        text = f"Item with id '{item_id}' not found in conversation."
        assert_error(bob.retrieve_item(his, item_id), 404, None, None, text)
        assert_error(bob.delete_item(his, item_id), 404, None, None, text)
        for name in ("after", "before"):
            answer = bob.list_items(his, f"{name}={item_id}")
            assert_error(answer, 404, None, name, f"No item found with id '{item_id}'")
    ok(bob.append(his, [message("mine", id="msg_hers")]))
    assert alice.retrieve_item(hers, "msg_hers").json()["content"][0]["text"] == "secret"


USER = "x-ms-user-identity"


def test_the_newer_name_of_the_header_means_the_same_user(base_url: str) -> None:
    nobody = Rest(base_url)
    conversation = Rest(base_url, "alice").create()
    path = f"{CONVERSATIONS}/{conversation['id']}"

    def status(headers: dict[str, str]) -> int:
        return nobody.send("GET", path, headers=headers).status

    assert status({USER: "alice"}) == 200
    assert status({USER: "alice", ISOLATION_KEY.decode(): "alice"}) == 200
    assert status({USER: "bob"}) == 404
    assert status({USER.upper(): "alice"}) == 200
    assert status({}) == 404


@pytest.mark.parametrize("names", [("alice", "bob"), ("bob", "alice"), ("alice", "Alice")])
def test_two_headers_must_not_name_two_users(base_url: str, names: tuple[str, str]) -> None:
    conversation_id = Rest(base_url, "alice").create()["id"]

    answer = Rest(base_url, names[0]).retrieve(conversation_id, {USER: names[1]})

    text = f"Invalid '{USER}': it names another user than '{ISOLATION_KEY.decode()}'."
    assert_error(answer, 400, "invalid_value", USER, text)


@pytest.mark.parametrize("key", ["", "a,b", "a" * 513, "\xe9"])
def test_an_ill_formed_key_is_told_by_the_name_it_came_under(base_url: str, key: str) -> None:
    for rest in (Rest(base_url), Rest(base_url, "alice")):
        answer = rest.send("GET", CONVERSATIONS, headers={USER: key})

        assert (answer.status, answer.error["code"]) == (400, "invalid_value")
        assert answer.error["param"] == USER
        assert answer.error["message"].startswith(f"Invalid '{USER}': expected 1 to 512 ")


@pytest.mark.parametrize(
    "values",
    [
        (b"alice", b"alice"),
        (b"alice", b"bob"),
        (b"alice", b""),
        (b"", b"alice"),
        (b"", b""),
        (b"alice", b"bob", b"carol"),
    ],
)
@pytest.mark.parametrize("second_name", [ISOLATION_KEY, b"X-MS-User-Isolation-Key"])
def test_a_repeated_key_is_refused_and_never_a_third_user(
    base_url: str, values: tuple[bytes, ...], second_name: bytes
) -> None:
    conversation = Rest(base_url, "alice").create()
    target = f"{CONVERSATIONS}/{conversation['id']}".encode()
    headers = [(ISOLATION_KEY, values[0]), *((second_name, value) for value in values[1:])]

    for method in (b"GET", b"POST", b"DELETE"):
        answer = raw.send(base_url, raw.request(method, target, headers))

        assert answer.status == 400
        assert answer.error["code"] == "invalid_value"
        assert answer.error["param"] == ISOLATION_KEY.decode()
    assert Rest(base_url, "alice").retrieve(conversation["id"]).status == 200


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("caf\u00e9".encode(), id="composed"),
        pytest.param("cafe\u0301".encode(), id="decomposed"),
        pytest.param("caf\u00e9".encode("latin-1"), id="latin-1"),
        pytest.param("\uff41lice".encode(), id="full-width"),
        pytest.param("\u212aelvin".encode(), id="kelvin-sign"),
        pytest.param("al\u0131ce".encode(), id="dotless-i"),
        pytest.param("alice\u200b".encode(), id="zero-width-space"),
        pytest.param("alice\u00a0".encode(), id="no-break-space"),
        pytest.param("\ufeffalice".encode(), id="byte-order-mark"),
        pytest.param(b"alice,", id="comma"),
        pytest.param(b"alice\tx", id="tab"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_key_that_could_be_folded_into_another_is_refused(base_url: str, key: bytes) -> None:
    headers = [(ISOLATION_KEY, key)]
    answer = raw.send(base_url, raw.request(b"POST", CONVERSATIONS.encode(), headers))

    assert answer.status == 400
    assert answer.error["code"] == "invalid_value"
    assert answer.error["param"] == ISOLATION_KEY.decode()


@pytest.mark.parametrize("key", [b" alice", b"alice ", b"\t alice \t"])
def test_blanks_around_a_header_value_are_no_part_of_it(base_url: str, key: bytes) -> None:
    # RFC 9110, 5.5: the web server takes them off, so no such user can exist.
    headers = [(ISOLATION_KEY, key)]
    created = raw.send(base_url, raw.request(b"POST", CONVERSATIONS.encode(), headers))

    assert created.status == 200
    assert Rest(base_url, "alice").retrieve(created.json()["id"]).json() == created.json()


@pytest.mark.parametrize(
    "name",
    [
        b"x-ms-user-isolation-keys",
        b"x_ms_user_isolation_key",
        b"x-ms-client-principal-id",
        b"x-forwarded-user",
    ],
)
def test_no_other_header_says_who_the_user_is(base_url: str, name: bytes) -> None:
    conversation = Rest(base_url, "alice").create()
    target = f"{CONVERSATIONS}/{conversation['id']}".encode()

    answer = raw.send(base_url, raw.request(b"GET", target, [(name, b"alice")]))

    assert answer.status == 404


@pytest.mark.parametrize(
    "smuggled",
    [
        {"isolation_key": "bob", "metadata": {}},
        {"id": "conv_1", "metadata": {}},
        {"created_at": 1, "metadata": {}},
    ],
)
def test_a_body_cannot_name_an_owner(base_url: str, smuggled: dict[str, Any]) -> None:
    alice = Rest(base_url, "alice")
    conversation = alice.create({"k": "v"})

    answer = alice.update(conversation["id"], smuggled)

    assert answer.status == 400
    assert answer.error["code"] == "unknown_parameter"
    assert alice.retrieve(conversation["id"]).json() == conversation


def test_metadata_named_as_stored_properties_stays_metadata(base_url: str) -> None:
    alice = Rest(base_url, "alice")
    conversation = alice.create()
    metadata = {
        name: json.dumps(["bob"])
        for name in ("id", "isolation_key", "created_at", "type", "_etag", "_ts", "ttl", "/id")
    }

    answer = alice.update(conversation["id"], {"metadata": metadata})

    assert answer.status == 200
    assert answer.json() == {**conversation, "metadata": metadata}
    assert Rest(base_url, "bob").retrieve(conversation["id"]).status == 404
