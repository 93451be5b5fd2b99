"""The writes of conversations: how each is sent, in one request, and how it is recognised.

What they have in common (budget, repetition, unknown outcomes) is `database/session`'s. Never
rewrites a document that it read.
"""

import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from conversations.api.conditions import EntityTags
from conversations.api.errors import ApiError, ErrorDetail, ServiceUnavailable
from conversations.database import documents as batch
from conversations.database.documents import Documents
from conversations.database.failures import DatabaseFailure, FailedAnswer, OutcomeUnknown
from conversations.resources.conversations.documents import (
    deletion,
    deletion_id,
    mark,
    new_conversation_id,
    new_document,
    new_mark,
    new_version,
    read_conversation,
)
from conversations.resources.conversations.models import (
    Conversation,
    MergeConversation,
    Metadata,
    merged,
)
from conversations.resources.idempotency import Repetition
from conversations.resources.items import documents as items
from conversations.resources.items.models import Item


class ConversationNotFound(ApiError):
    """No such conversation under this isolation key; another user's is no different."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, conversation_id: str) -> None:
        super().__init__(ErrorDetail(f"Conversation with id '{conversation_id}' not found.", None))


class PreconditionFailed(ApiError):
    """The conversation is another than the caller has read; nothing was written."""

    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self) -> None:
        message = (
            "The conversation has changed since it was read: its ETag is not one of those in "
            "'If-Match'."
        )
        super().__init__(ErrorDetail(message, "precondition_failed", "If-Match"))


@dataclass(frozen=True, slots=True)
class Created:
    """A conversation, and whether an earlier request with the same Idempotency-Key made it."""

    conversation: Conversation
    replayed: bool = False


_VERSION = re.compile("[0-9a-f]{16}")


def versions(if_match: EntityTags) -> list[str]:
    """The tags that can be a version of ours: the others match nothing, and never enter a query."""
    return [tag for tag in if_match.strong if _VERSION.fullmatch(tag)]


def condition(if_match: EntityTags | None) -> str | None:
    """What a patch is to ask of the document; None if any will do."""
    if if_match is None or if_match.everything:
        return None
    return _has_version(versions(if_match))


def _has_version(any_of: list[str]) -> str:
    return "FROM c WHERE " + " OR ".join(f'c.version = "{version}"' for version in any_of)


@dataclass
class Create:
    """The transaction of a create, with or without items, with or without a key."""

    isolation_key: str | None
    metadata: Metadata
    items: list[Item]
    repetition: Repetition | None
    request: str = field(default_factory=new_mark)
    version: str = field(default_factory=new_version)
    microseconds: int = field(default_factory=lambda: time.time_ns() // 1000)
    drew_again: bool = False

    def __post_init__(self) -> None:
        self.created_at = self.microseconds // 1_000_000
        self.conversation_id = new_conversation_id(self.created_at)
        self.repeatable = self.repetition is not None

    async def send(self, documents: Documents) -> Created:
        """One batch of Creates: the record of the key, the items, the conversation."""
        key, id_ = self.isolation_key, self.conversation_id
        last = self.microseconds + len(self.items) - 1 if self.items else None
        document = new_document(
            key,
            id_,
            created_at=self.created_at,
            metadata=self.metadata,
            version=self.version,
            request=self.request,
            last_position=last,
        )
        new = [] if self.repetition is None else [self.repetition.record(key, self.request, [id_])]
        new += items.new_documents(
            key, id_, self.items, request=self.request, first_position=self.microseconds
        )
        await documents.batch(key, [batch.create(one) for one in (*new, document)])
        return self._made()

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Created | None:
        """The record, where there is a key; else the conversation, or its deletion's marker."""
        conflict = isinstance(failure, FailedAnswer) and failure.is_conflict
        if self.repetition:
            return await self._read_record(documents, self.repetition, conflict, unknown=unknown)
        for id_ in (self.conversation_id, deletion_id(self.conversation_id)):
            if await documents.find(self.isolation_key, id_):
                return self._made()
        if conflict:
            if unknown:
                raise OutcomeUnknown("a conflict with what is not there")
            if self.drew_again:
                raise ServiceUnavailable("two new ids conflict with what is not there")
            self.drew_again = True
            self.conversation_id = new_conversation_id(self.created_at)
        return None

    async def _read_record(
        self, documents: Documents, repetition: Repetition, conflict: bool, *, unknown: bool
    ) -> Created | None:
        record = await documents.find(self.isolation_key, repetition.id_)
        if record is None:
            if not conflict:
                return None
            if unknown:
                raise OutcomeUnknown("a conflict with a record that is not there")
            raise ServiceUnavailable("a conflict with a record that is not there")
        if mark(record) == self.request:
            return self._made()
        id_, *_ = repetition.result_of(record)
        document = await documents.find(self.isolation_key, id_)
        if document is None:
            raise ConversationNotFound(id_)
        return Created(read_conversation(document, id_), replayed=True)

    def _made(self) -> Created:
        """The conversation as this request drew it."""
        return Created(
            Conversation(
                id=self.conversation_id,
                created_at=self.created_at,
                metadata=self.metadata,
                version=self.version,
            )
        )


@dataclass
class Update:
    """The one patch of an update: the whole metadata and a new version."""

    isolation_key: str | None
    conversation_id: str
    metadata: Metadata
    if_match: EntityTags | None
    version: str = field(default_factory=new_version)

    def __post_init__(self) -> None:
        self.repeatable = self.if_match is None
        self.condition = condition(self.if_match)

    async def send(self, documents: Documents) -> Conversation:
        """One patch."""
        changes = {"metadata": self.metadata, "version": self.version}
        id_ = self.conversation_id
        patched = await documents.patch(self.isolation_key, id_, changes, self.condition)
        return read_conversation({**patched, "version": self.version}, id_)

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Conversation | None:
        """The version, which is new with every update."""
        conversation = await found(documents, self.isolation_key, self.conversation_id)
        if conversation.version == self.version:
            return conversation
        if self.if_match and not self.if_match.match(conversation.version):
            raise OutcomeUnknown("another version is there") if unknown else PreconditionFailed
        return None


@dataclass
class Merge:
    """One patch of the metadata that a base becomes, on the condition that the base still is it."""

    isolation_key: str | None
    conversation_id: str
    merge: MergeConversation
    if_match: EntityTags | None
    base: Conversation

    def __post_init__(self) -> None:
        self.repeatable = self.if_match is None
        self.drawn = [new_version()]

    async def send(self, documents: Documents) -> Conversation:
        """One patch of the whole result."""
        metadata = merged(self.base.metadata, self.merge)
        changes = {"metadata": metadata, "version": self.drawn[-1]}
        id_, unchanged = self.conversation_id, _has_version([self.base.version])
        patched = await documents.patch(self.isolation_key, id_, changes, unchanged)
        return read_conversation({**patched, "version": self.drawn[-1]}, id_)

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Conversation | None:
        """The version; another's is the base of another try, if the caller did not exclude it."""
        conversation = await found(documents, self.isolation_key, self.conversation_id)
        if conversation.version in self.drawn:
            return conversation
        if conversation.version != self.base.version:
            if self.if_match and not self.if_match.match(conversation.version):
                raise OutcomeUnknown("another version is there") if unknown else PreconditionFailed
            self.base = conversation
            self.drawn.append(new_version())
        return None


@dataclass
class Delete:
    """The transaction of a delete: the marker in, the conversation out."""

    isolation_key: str | None
    conversation_id: str
    if_match: EntityTags | None
    request: str = field(default_factory=new_mark)

    def __post_init__(self) -> None:
        self.repeatable = self.if_match is None
        id_ = self.conversation_id
        self.operations = [
            batch.create(deletion(self.isolation_key, id_, self.request)),
            batch.delete(id_),
        ]
        guard = condition(self.if_match)
        if guard:
            # A delete takes no condition; a patch in the same transaction does.
            self.operations.insert(0, batch.patch(id_, {"last_request": self.request}, guard))

    async def send(self, documents: Documents) -> bool:
        """One batch."""
        await documents.batch(self.isolation_key, self.operations)
        return True

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> bool | None:
        """The conversation first: the other way round a delete in between would look like none."""
        document = await documents.find(self.isolation_key, self.conversation_id)
        if document is None:
            marker = await documents.find(self.isolation_key, deletion_id(self.conversation_id))
            if mark(marker) == self.request:
                return True
            raise ConversationNotFound(self.conversation_id)
        version = read_conversation(document, self.conversation_id).version
        if self.if_match and not self.if_match.match(version):
            raise PreconditionFailed  # it is still there, so it was not deleted
        return None


async def found(
    documents: Documents, isolation_key: str | None, conversation_id: str
) -> Conversation:
    """The conversation in its newest state. Raises ConversationNotFound."""
    document = await documents.find(isolation_key, conversation_id)
    if document is None:
        raise ConversationNotFound(conversation_id)
    return read_conversation(document, conversation_id)
