"""The writes of items: how each is sent, in one request, and how it is recognised.

What they have in common (budget, repetition, unknown outcomes) is `database/session`'s.
"""

import time
from dataclasses import dataclass, field
from http import HTTPStatus

from conversations.api.errors import ApiError, ErrorDetail, ServiceUnavailable
from conversations.database import documents as batch
from conversations.database.documents import Documents
from conversations.database.failures import (
    DatabaseFailure,
    FailedAnswer,
    OutcomeUnknown,
    UnreadableAnswer,
)
from conversations.resources.conversations.documents import mark, new_mark, read_conversation
from conversations.resources.conversations.models import Conversation
from conversations.resources.conversations.writes import ConversationNotFound, found
from conversations.resources.idempotency import Repetition
from conversations.resources.items.documents import (
    item_document_id,
    new_documents,
    read_item,
)
from conversations.resources.items.models import Item, ItemAlreadyInConversation


class ItemNotFound(ApiError):
    """No such item in this conversation; it may have been deleted, or be another's."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, item_id: str) -> None:
        super().__init__(ErrorDetail(f"Item with id '{item_id}' not found in conversation.", None))


@dataclass(frozen=True, slots=True)
class Appended:
    """New items, and whether an earlier request with the same Idempotency-Key made them."""

    items: list[Item]
    replayed: bool = False


@dataclass
class Append:
    """The transaction of an append: the items, and the conversation's last position.

    The patch comes last, on the condition that nobody is ahead: so that a call begun after
    another's answer lists after it, whichever instance served it.
    """

    isolation_key: str | None
    conversation_id: str
    items: list[Item]
    repetition: Repetition | None
    request: str = field(default_factory=new_mark)
    first_position: int = field(default_factory=lambda: _now())

    def __post_init__(self) -> None:
        self.repeatable = self.repetition is not None
        ids = [item["id"] for item in self.items]
        self._record = (
            []
            if self.repetition is None
            else [self.repetition.record(self.isolation_key, self.request, ids)]
        )

    async def send(self, documents: Documents) -> Appended:
        """One batch: the record of the key, the items, the patch of the conversation."""
        new = new_documents(
            self.isolation_key,
            self.conversation_id,
            self.items,
            request=self.request,
            first_position=self.first_position,
        )
        last = self.first_position + len(new) - 1
        changes = {"last_position": last, "last_request": self.request}
        condition = (
            "FROM c WHERE NOT IS_DEFINED(c.last_position)"
            f" OR c.last_position < {self.first_position}"
        )
        operations = [batch.create(document) for document in (*self._record, *new)]
        operations.append(batch.patch(self.conversation_id, changes, condition))
        await documents.batch(self.isolation_key, operations)
        return Appended(self.items)

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Appended | None:
        """The record, where there is a key; else the conversation, then an item."""
        in_the_way = None  # which Create met a document of its id
        if isinstance(failure, FailedAnswer) and failure.status == HTTPStatus.CONFLICT:
            creates = range(len(self._record) + len(self.items))
            in_the_way = failure.operation if failure.operation in creates else None
        if self.repetition:
            record = await documents.find(self.isolation_key, self.repetition.id_)
            if mark(record) == self.request:
                return Appended(self.items)
            if record:
                await found(documents, self.isolation_key, self.conversation_id)
                return await self._replay(documents, self.repetition.result_of(record))
            if in_the_way == 0:
                raise _nothing_in_the_way(unknown)
        conversation = await documents.find(self.isolation_key, self.conversation_id)
        if conversation is None:
            raise ConversationNotFound(self.conversation_id)
        if mark(conversation, "last_request") == self.request:
            return Appended(self.items)
        # Which item to look at: the one in the way, or else the first, as a sign of them all. A
        # key's record has said already that there are none.
        index = 0 if in_the_way is None else in_the_way - len(self._record)
        if in_the_way is not None or (unknown and not self.repetition):
            item = await self._find_item(documents, self.items[index]["id"])
            if mark(item) == self.request:
                return Appended(self.items)
            if in_the_way is not None:
                if item and not unknown:
                    raise ItemAlreadyInConversation
                raise _nothing_in_the_way(unknown)
        last = _last_position(conversation)
        if last >= self.first_position:
            # Now, and not only ahead of the last: others who write now would be ahead of that.
            self.first_position = max(_now(), last + 1)
        return None

    async def _find_item(self, documents: Documents, item_id: str) -> batch.Document | None:
        id_ = item_document_id(self.conversation_id, item_id)
        return await documents.find(self.isolation_key, id_)

    async def _replay(self, documents: Documents, ids: list[str]) -> Appended:
        """What the record's request made, as it is now."""
        item_ids = [item_document_id(self.conversation_id, id_) for id_ in ids]
        operations = [batch.read(id_) for id_ in (self.conversation_id, *item_ids)]
        try:
            _, *stored = await documents.batch(self.isolation_key, operations)
        except FailedAnswer as failure:
            if not failure.is_missing_document or failure.operation is None:
                raise
            if failure.operation == 0:
                raise ConversationNotFound(self.conversation_id) from failure
            raise ItemNotFound(ids[failure.operation - 1]) from failure
        return Appended([read_item(document) for document in stored], replayed=True)


@dataclass
class DeleteItem:
    """The transaction of an item's delete, whose answer is the conversation."""

    isolation_key: str | None
    conversation_id: str
    item_id: str
    repeatable: bool = True

    async def send(self, documents: Documents) -> Conversation:
        """One batch, which reads the conversation that the answer is."""
        document, _ = await documents.batch(
            self.isolation_key,
            [batch.read(self.conversation_id), batch.delete(self._document_id())],
        )
        return read_conversation(document, self.conversation_id)

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Conversation | None:
        """The item is gone, whoever removed it: what was asked for holds."""
        conversation = await found(documents, self.isolation_key, self.conversation_id)
        if await documents.find(self.isolation_key, self._document_id()):
            return None
        return conversation

    def _document_id(self) -> str:
        return item_document_id(self.conversation_id, self.item_id)


def _nothing_in_the_way(unknown: bool) -> Exception:
    """A conflict that a look at the document does not explain: it has expired, or worse."""
    reason = "a conflict with a document that is not there, or not ours"
    return OutcomeUnknown(reason) if unknown else ServiceUnavailable(reason)


def _now() -> int:
    return time.time_ns() // 1000


def _last_position(conversation: batch.Document) -> int:
    position = conversation.get("last_position", 0)
    if not isinstance(position, int):
        raise UnreadableAnswer("a stored document is no conversation: check its last_position")
    return position
