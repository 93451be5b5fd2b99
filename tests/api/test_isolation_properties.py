"""Users, conversations and items against a model: everybody sees exactly what is theirs."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.support.isolation_keys import KEYS
from tests.support.rest import Answer, Rest, message, ok

# A few users meet more often than many; so do a few ids.
USERS = st.sampled_from(KEYS[:4] + KEYS[12:15])
METADATA = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
ITEM_IDS = st.sampled_from(["msg_1", "msg_2", "msg_3", None, None, None])
ITEMS = st.lists(
    st.builds(lambda text, id_: message(text, id=id_), st.text(max_size=4), ITEM_IDS),
    min_size=1,
    max_size=3,
)

Owned = tuple[str | None, str]
"""A user, and the id of a conversation of that user's."""


class Users(RuleBasedStateMachine):
    """Users of one app, and the model: what each of them must see."""

    rest: Rest
    conversations: Bundle[Owned] = Bundle("conversations")

    @initialize()
    def start(self) -> None:
        """Nobody has anything that the model knows of."""
        self.stored: dict[Owned, dict[str, Any]] = {}
        self.items: dict[Owned, list[dict[str, Any]]] = {}

    @rule(target=conversations, user=USERS, metadata=METADATA)
    def create(self, user: str | None, metadata: dict[str, str]) -> Owned:
        """A user creates a conversation."""
        conversation = self.rest.as_user(user).create(metadata)
        assert conversation["metadata"] == metadata
        owned = user, conversation["id"]
        assert conversation["id"] not in {id_ for _, id_ in self.stored}
        self.stored[owned] = conversation
        self.items[owned] = []
        return owned

    @rule(owned=conversations)
    def retrieve_own(self, owned: Owned) -> None:
        """The owner sees it as the model has it."""
        user, id_ = owned
        self.assert_seen(self.rest.as_user(user).retrieve(id_), owned)

    @rule(owned=conversations, metadata=st.none() | METADATA)
    def update_own(self, owned: Owned, metadata: dict[str, str] | None) -> None:
        """The owner changes it."""
        user, id_ = owned
        answer = self.rest.as_user(user).update(id_, {"metadata": metadata})
        self.stored[owned] = {**self.stored[owned], "metadata": metadata or {}}
        self.assert_seen(answer, owned)

    @rule(owned=conversations, items=ITEMS)
    def append_own(self, owned: Owned, items: list[dict[str, Any]]) -> None:
        """The owner adds items: all of them, or none if an id is taken or there twice."""
        user, id_ = owned
        answer = self.rest.as_user(user).append(id_, items)
        named = [item["id"] for item in items if item["id"] is not None]
        taken = {item["id"] for item in self.items[owned]}
        if len(set(named)) < len(named) or taken.intersection(named):
            assert answer.status == 400
            assert answer.error["code"] == "item_already_in_conversation"
        else:
            added = ok(answer)["data"]
            assert [item["content"][0]["text"] for item in added] == [
                item["content"] for item in items
            ]
            self.items[owned] += added
        self.list_own(owned)

    @rule(owned=conversations, place=st.integers(0, 4))
    def delete_own_item(self, owned: Owned, place: int) -> None:
        """The owner deletes an item, or one that is not there."""
        user, id_ = owned
        there = [item["id"] for item in self.items[owned]]
        item_id = there[place] if place < len(there) else "msg_never"
        answer = self.rest.as_user(user).delete_item(id_, item_id)
        if item_id in there:
            self.assert_seen(answer, owned)
            self.items[owned] = [item for item in self.items[owned] if item["id"] != item_id]
        else:
            assert answer.status == 404
        self.list_own(owned)

    @rule(owned=conversations)
    def list_own(self, owned: Owned) -> None:
        """The owner's items are those of the model, in its order."""
        user, id_ = owned
        assert self.rest.as_user(user).all_items(id_) == self.items[owned]

    @rule(owned=consumes(conversations))
    def delete_own(self, owned: Owned) -> None:
        """The owner deletes it, and then it is missing for the owner too, with all its items."""
        user, id_ = owned
        owner = self.rest.as_user(user)
        assert owner.delete(id_).status == 200
        del self.stored[owned]
        for answer in (owner.retrieve(id_), owner.list_items(id_), owner.append(id_, [message()])):
            assert answer.status == 404
        for item in self.items.pop(owned):
            assert owner.retrieve_item(id_, item["id"]).status == 404

    @rule(owned=conversations, stranger=USERS, metadata=METADATA, items=ITEMS)
    def disturb(
        self,
        owned: Owned,
        stranger: str | None,
        metadata: dict[str, str],
        items: list[dict[str, Any]],
    ) -> None:
        """Somebody else tries every operation: all are told it is missing, nothing changes."""
        user, id_ = owned
        if stranger == user:
            return
        other = self.rest.as_user(stranger)
        item_id = self.items[owned][0]["id"] if self.items[owned] else "msg_1"
        answers = [
            other.retrieve(id_),
            other.update(id_, {"metadata": metadata}),
            other.list_items(id_),
            other.list_items(id_, f"after={item_id}"),
            other.retrieve_item(id_, item_id),
            other.delete_item(id_, item_id),
            other.delete(id_),
        ]
        if len({item["id"] for item in items}) == len(items):
            answers.append(other.append(id_, items))
        for answer in answers:
            assert answer.status == 404
            assert answer.error["message"] == f"Conversation with id '{id_}' not found."
        self.retrieve_own(owned)
        self.list_own(owned)

    @rule(user=USERS)
    def list_conversations(self, user: str | None) -> None:
        """A user's list has each of the user's conversations, and none of anybody else's."""
        theirs = {id_ for owner, id_ in self.stored if owner == user}
        others = {id_ for owner, id_ in self.stored if owner != user}
        listed = self.rest.as_user(user).list_conversations("limit=100").ids
        # Earlier runs left more behind, which is older.
        assert theirs <= set(listed)
        assert others.isdisjoint(listed)

    def assert_seen(self, answer: Answer, owned: Owned) -> None:
        """The answer shows the conversation as the model has it."""
        assert ok(answer) == self.stored[owned]

    def teardown(self) -> None:
        """In the end everybody still has exactly what is theirs, and removes it."""
        for owned in self.stored:
            self.retrieve_own(owned)
            self.list_own(owned)
        for user, id_ in self.stored:
            assert self.rest.as_user(user).delete(id_).status == 200


def test_users_only_ever_see_their_own_conversations_and_items(base_url: str) -> None:
    class AppUsers(Users):
        rest = Rest(base_url)

    run_state_machine_as_test(
        AppUsers,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
