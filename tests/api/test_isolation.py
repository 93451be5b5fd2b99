"""Nobody sees, changes or detects another user's conversation, whatever the others do."""

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.support import raw
from tests.support.limits import ISOLATION_KEY_LENGTH
from tests.support.rest import CONVERSATIONS, Answer, Rest

ISOLATION_KEY = b"x-ms-user-isolation-key"

LONGEST = "a" * ISOLATION_KEY_LENGTH

# Each is a user of its own, although many systems would merge some of them.
KEYS = (
    None,
    *("null", "None", "undefined", "0", "false", "[]", "{}", '""', '"', "\\", "\\u0061", "a'b"),
    *("alice", "Alice", "ALICE", "al%69ce", "alice%20", "alice%00", "alice/", "alice;", "a lice"),
    *("../alice", "alice#", "alice?x", "%61lice", "alice@example.com", "alice@EXAMPLE.com"),
    *(LONGEST, LONGEST[1:]),
    *(f"{LONGEST[:place]}b{LONGEST[place + 1 :]}" for place in (100, 101)),
)

# What differs from one answer to the next whoever asks.
VOLATILE = {"x-request-id", "date", "openai-processing-ms"}

METADATA = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
# A few users meet more often than many.
USERS = st.sampled_from(KEYS)


def what_tells(answer: Answer, conversation_id: str) -> tuple[int, dict[str, str], bytes]:
    """All that an answer tells beyond when it was given and which id was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status, headers, answer.body.replace(conversation_id.encode(), b"<id>")


def every_operation(rest: Rest, conversation_id: str) -> list[Answer]:
    """What the operations on one conversation answer, the deleting one last."""
    return [
        rest.retrieve(conversation_id),
        rest.update(conversation_id, {"metadata": {"k": "v"}}),
        rest.update(conversation_id, {"metadata": None}),
        rest.update(conversation_id, {"metadata": {"k": 1}}),
        rest.update(conversation_id, {}),
        rest.update(conversation_id, b"{"),
        rest.send("HEAD", f"{CONVERSATIONS}/{conversation_id}"),
        rest.send("PUT", f"{CONVERSATIONS}/{conversation_id}"),
        rest.delete(conversation_id),
    ]


class Users(RuleBasedStateMachine):
    """Users of one app, and the model: what each of them must see."""

    rest: Rest
    conversations: Bundle[tuple[str | None, str]] = Bundle("conversations")

    @initialize()
    def start(self) -> None:
        """Nobody has anything yet."""
        self.stored: dict[tuple[str | None, str], dict[str, Any]] = {}

    @rule(target=conversations, user=USERS, metadata=METADATA)
    def create(self, user: str | None, metadata: dict[str, str]) -> tuple[str | None, str]:
        """A user creates a conversation."""
        conversation = self.rest.as_user(user).create(metadata)
        assert conversation["metadata"] == metadata
        owned = user, conversation["id"]
        assert conversation["id"] not in {id_ for _, id_ in self.stored}
        self.stored[owned] = conversation
        return owned

    @rule(owned=conversations)
    def retrieve_own(self, owned: tuple[str | None, str]) -> None:
        """The owner sees it as the model has it."""
        user, id_ = owned
        self.assert_seen(self.rest.as_user(user).retrieve(id_), owned)

    @rule(owned=conversations, metadata=st.none() | METADATA)
    def update_own(self, owned: tuple[str | None, str], metadata: dict[str, str] | None) -> None:
        """The owner changes it."""
        user, id_ = owned
        answer = self.rest.as_user(user).update(id_, {"metadata": metadata})
        if owned in self.stored:
            self.stored[owned] = {**self.stored[owned], "metadata": metadata or {}}
        self.assert_seen(answer, owned)

    @rule(owned=consumes(conversations))
    def delete_own(self, owned: tuple[str | None, str]) -> None:
        """The owner deletes it, and then it is missing for the owner too."""
        user, id_ = owned
        assert self.rest.as_user(user).delete(id_).status == 200
        del self.stored[owned]
        self.assert_seen(self.rest.as_user(user).retrieve(id_), owned)

    @rule(owned=conversations, stranger=USERS, metadata=METADATA)
    def disturb(
        self, owned: tuple[str | None, str], stranger: str | None, metadata: dict[str, str]
    ) -> None:
        """Somebody else tries every operation: all are told it is missing, nothing changes."""
        user, id_ = owned
        if stranger == user:
            return
        other = self.rest.as_user(stranger)
        answers = [
            other.retrieve(id_),
            other.update(id_, {"metadata": metadata}),
            other.delete(id_),
        ]
        for answer in answers:
            assert answer.status == 404
            assert answer.error["message"] == f"Conversation with id '{id_}' not found."
        self.assert_seen(self.rest.as_user(user).retrieve(id_), owned)

    def assert_seen(self, answer: Answer, owned: tuple[str | None, str]) -> None:
        """The answer shows the conversation as the model has it, or that it is missing."""
        if owned in self.stored:
            assert answer.status == 200
            assert answer.json() == self.stored[owned]
        else:
            assert answer.status == 404

    def teardown(self) -> None:
        """In the end everybody still has exactly what is theirs."""
        for owned in self.stored:
            self.retrieve_own(owned)


def test_users_only_ever_see_their_own_conversations(base_url: str) -> None:
    class AppUsers(Users):
        rest = Rest(base_url)

    run_state_machine_as_test(
        AppUsers,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


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
    conversation = Rest(base_url, owner).create({"k": "secret"})
    gone = Rest(base_url, owner).create({"k": "secret"})
    assert Rest(base_url, owner).delete(gone["id"]).status == 200
    never_was = "conv_" + "0" * 48
    other = Rest(base_url, stranger)

    foreign, *missing = (
        [what_tells(answer, id_) for answer in every_operation(other, id_)]
        for id_ in (conversation["id"], gone["id"], never_was)
    )

    assert missing == [foreign, foreign]
    assert [status for status, _, _ in foreign] == [404, 404, 404, 400, 400, 400, 405, 405, 404]
    assert Rest(base_url, owner).retrieve(conversation["id"]).json() == conversation


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
