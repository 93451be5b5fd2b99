"""Conversations in the database: the requests of each operation.

The partition key is an argument of every operation.
"""

from typing import Any

from conversations.api.conditions import EntityTags
from conversations.api.errors import ServiceUnavailable
from conversations.api.isolation import IsolationKey
from conversations.api.query import ConversationsQuery
from conversations.database.documents import Documents
from conversations.database.failures import DatabaseFailure, FailedAnswer
from conversations.database.session import Session, Work
from conversations.resources import purge
from conversations.resources.answers import StorageFull, refused_create
from conversations.resources.conversations.documents import listed, read_conversation
from conversations.resources.conversations.models import (
    Conversation,
    ConversationId,
    MergeConversation,
    Metadata,
)
from conversations.resources.conversations.writes import (
    ConversationNotFound,
    Create,
    Created,
    Delete,
    Merge,
    PreconditionFailed,
    Update,
    found,
    versions,
)
from conversations.resources.idempotency import Repetition
from conversations.resources.items.models import Item
from conversations.resources.pages import Range, Row, Rows, read_page


class ConversationStore:
    """Conversations in a Cosmos DB container partitioned by `/isolation_key`.

    Every operation ends within the session's budget, and raises AzureError when the database fails.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(
        self,
        isolation_key: IsolationKey | None,
        metadata: Metadata,
        new_items: list[Item],
        repetition: Repetition | None,
    ) -> Created:
        """Store a new conversation with its first items, all or nothing.

        Raises TransactionTooLarge, IdempotencyKeyReused, and ConversationNotFound where what the
        key made is gone.
        """
        write = Create(isolation_key, metadata, new_items, repetition)
        try:
            return await self._session.begin().write(write)
        except DatabaseFailure as failure:
            raise refused_create(failure) from failure

    async def retrieve(
        self, isolation_key: IsolationKey | None, conversation_id: ConversationId
    ) -> Conversation:
        """Read one conversation. Raises ConversationNotFound."""

        async def read(documents: Documents) -> Any:
            try:
                return await documents.read(isolation_key, conversation_id)
            except FailedAnswer as failure:
                if not failure.is_missing_document:
                    raise
            # Another instance may have been answered that it is there: a batch sees that.
            return documents.reads_may_lag and await documents.find(isolation_key, conversation_id)

        document = await self._session.begin().read(read)
        if not document:
            raise ConversationNotFound(conversation_id)
        return read_conversation(document, conversation_id)

    async def replace_metadata(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        metadata: Metadata,
        if_match: EntityTags | None,
    ) -> Conversation:
        """Replace the metadata, touching nothing else, in one patch.

        Raises ConversationNotFound, PreconditionFailed.
        """
        work = self._session.begin()
        if if_match and not if_match.everything and not versions(if_match):
            await _refuse(work, isolation_key, conversation_id)
        write = Update(isolation_key, conversation_id, metadata, if_match)
        try:
            return await work.write(write)
        except FailedAnswer as failure:
            raise _refused(failure, conversation_id) from failure

    async def merge_metadata(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        merge: MergeConversation | None,
        if_match: EntityTags | None,
    ) -> Conversation:
        """Set and remove single pairs; the others stay. `merge` None: change nothing.

        Raises ConversationNotFound, PreconditionFailed, InvalidRequest where the result is over a
        limit, Contention where others were faster until the budget was spent.
        """
        work = self._session.begin()
        base = await _read_newest(work, isolation_key, conversation_id)
        if if_match and not if_match.match(base.version):
            raise PreconditionFailed
        if merge is None:
            return base
        write = Merge(isolation_key, conversation_id, merge, if_match, base)
        try:
            return await work.write(write)
        except FailedAnswer as failure:
            raise _refused(failure, conversation_id) from failure

    async def delete(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        if_match: EntityTags | None,
    ) -> None:
        """Make a conversation and all of its items unreachable, and remove what time allows.

        What is left is the sweep's. Raises ConversationNotFound, PreconditionFailed, StorageFull.
        """
        work = self._session.begin()
        if if_match and not if_match.everything and not versions(if_match):
            await _refuse(work, isolation_key, conversation_id)
        write = Delete(isolation_key, conversation_id, if_match)
        try:
            await work.write(write)
        except FailedAnswer as failure:
            if not failure.is_partition_full or if_match:
                raise _refused(failure, conversation_id) from failure
            await self._delete_from_full_partition(work, write)
        await purge.remove_in_passing(work, isolation_key, conversation_id)

    async def _delete_from_full_partition(self, work: Work, write: Delete) -> None:
        """Make room for the marker of the deletion, which is a document too."""
        key, conversation_id = write.isolation_key, write.conversation_id
        removed = await purge.make_room(work, key, conversation_id)
        if removed is None:
            raise ConversationNotFound(conversation_id)
        try:
            await work.write(write)
        except FailedAnswer as failure:
            if not failure.is_partition_full:
                raise _refused(failure, conversation_id) from failure
            if removed:
                reason = f"{failure.message}: {removed} items removed"
                raise ServiceUnavailable(reason) from failure
            raise StorageFull(failure.message) from failure

    async def list(self, isolation_key: IsolationKey | None, query: ConversationsQuery) -> Rows:
        """The user's conversations, newest first or last, with all of `query.metadata`."""
        filters = [
            (
                f"c.metadata[@name{number}] = @value{number}",
                {f"@name{number}": name, f"@value{number}": value},
            )
            for number, (name, value) in enumerate(query.metadata.items())
        ]
        prefix = listed(isolation_key)
        place = query.page.before if query.page.before is not None else query.page.after
        return await read_page(
            self._session.begin(),
            isolation_key,
            "SELECT c.id, c.created_at, c.metadata, c.version",
            Range.of(prefix, query.page, None if place is None else prefix + place),
            query.page.limit,
            _row,
            filters,
        )


def _row(document: Any) -> Row:
    conversation = read_conversation(document)
    return Row(conversation.id, conversation.model_dump_json().encode())


async def _read_newest(work: Work, isolation_key: str | None, conversation_id: str) -> Conversation:
    async def find(documents: Documents) -> Conversation:
        return await found(documents, isolation_key, conversation_id)

    return await work.read(find)


async def _refuse(work: Work, isolation_key: str | None, conversation_id: str) -> None:
    """Raise PreconditionFailed, or ConversationNotFound, which beats it."""
    await _read_newest(work, isolation_key, conversation_id)
    raise PreconditionFailed


def _refused(failure: FailedAnswer, conversation_id: str) -> Exception:
    """What a write of one conversation was refused for."""
    return ConversationNotFound(conversation_id) if failure.is_missing_document else failure
