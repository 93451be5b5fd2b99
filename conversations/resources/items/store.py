"""Items in the database: the requests of each operation.

The partition key is an argument of every operation. Every operation looks at the conversation too:
what belongs to one that is deleted is not there.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from conversations.api.errors import ApiError, ErrorDetail
from conversations.api.isolation import IsolationKey
from conversations.api.query import ItemsQuery
from conversations.api.validation import quoted
from conversations.database import documents as batch
from conversations.database.documents import Documents
from conversations.database.failures import DatabaseFailure, FailedAnswer
from conversations.database.session import Session, Work
from conversations.resources.answers import refused_create
from conversations.resources.conversations.models import Conversation, ConversationId
from conversations.resources.conversations.writes import ConversationNotFound
from conversations.resources.idempotency import Repetition
from conversations.resources.items.documents import (
    checked_item,
    item_document_id,
    listed,
    read_item,
    read_sort_key,
    render,
)
from conversations.resources.items.models import Item, is_item_id
from conversations.resources.items.writes import Append, Appended, DeleteItem, ItemNotFound
from conversations.resources.pages import Range, Row, Rows, read_page


class CursorNotFound(ApiError):
    """The cursor is no item of this conversation: deleted, foreign, or never there."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, item_id: str, param: str) -> None:
        message = f"No item found with id '{quoted(item_id)}'"
        super().__init__(ErrorDetail(message, None, param))


class ItemStore:
    """The items of conversations, each a document in the partition of its user.

    Every operation ends within the session's budget, and raises AzureError when the database fails.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def append(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        items: list[Item],
        repetition: Repetition | None,
    ) -> Appended:
        """Store new items after all that are there, all or none, adjacent, in their order.

        Raises ConversationNotFound, ItemAlreadyInConversation, IdempotencyKeyReused, ItemNotFound,
        TransactionTooLarge.
        """
        write = Append(isolation_key, conversation_id, items, repetition)
        try:
            return await self._session.begin().write(write)
        except DatabaseFailure as failure:
            if isinstance(failure, FailedAnswer) and failure.is_missing_document:
                raise ConversationNotFound(conversation_id) from failure
            raise refused_create(failure) from failure

    async def retrieve(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        item_id: str,
    ) -> Item:
        """Read one item. Raises ConversationNotFound, ItemNotFound."""
        ids = [conversation_id, item_document_id(conversation_id, item_id)]
        try:
            _, document = await _read_all(self._session.begin(), isolation_key, ids)
        except FailedAnswer as failure:
            raise _missing(failure, conversation_id, ItemNotFound(item_id)) from failure
        return read_item(document)

    async def delete(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        item_id: str,
    ) -> Conversation:
        """Remove one item. Returns the conversation. Raises ConversationNotFound, ItemNotFound."""
        write = DeleteItem(isolation_key, conversation_id, item_id)
        try:
            return await self._session.begin().write(write)
        except FailedAnswer as failure:
            raise _missing(failure, conversation_id, ItemNotFound(item_id)) from failure

    async def list(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        query: ItemsQuery,
    ) -> Rows:
        """A page of a conversation's items. Raises ConversationNotFound, CursorNotFound."""
        work = self._session.begin()
        after, before = query.page.after, query.page.before
        if after is None and before is None:
            exists = asyncio.ensure_future(_read_all(work, isolation_key, [conversation_id]))
            rows = asyncio.ensure_future(_page(work, isolation_key, conversation_id, query, None))
            try:
                await exists
                return await rows
            except FailedAnswer as failure:
                raise _missing(failure, conversation_id, failure) from failure
            finally:
                await _end(exists, rows)
        cursor, param = (after, "after") if after is not None else (str(before), "before")
        unknown = CursorNotFound(cursor, param)
        ids: list[str] = [conversation_id]
        if is_item_id(cursor):
            ids.append(item_document_id(conversation_id, cursor))
        try:
            found = await _read_all(work, isolation_key, ids)
        except FailedAnswer as failure:
            raise _missing(failure, conversation_id, unknown) from failure
        if len(found) == 1:
            raise unknown
        return await _page(work, isolation_key, conversation_id, query, read_sort_key(found[1]))


async def _page(
    work: Work,
    isolation_key: str | None,
    conversation_id: str,
    query: ItemsQuery,
    cursor: str | None,
) -> Rows:
    filters = []
    if query.item_type is not None:
        filters.append(("c.item.type = @type", {"@type": query.item_type}))
    return await read_page(
        work,
        isolation_key,
        "SELECT VALUE c.item",
        Range.of(listed(conversation_id), query.page, cursor),
        query.page.limit,
        _row,
        filters,
    )


def _row(item: Any) -> Row:
    checked = checked_item(item)
    return Row(checked["id"], render(checked))


async def _read_all(
    work: Work, isolation_key: str | None, ids: Sequence[str]
) -> list[batch.Document | None]:
    """Read documents in one transaction, the first missing one a FailedAnswer."""

    async def read(documents: Documents) -> list[batch.Document | None]:
        return await documents.batch(isolation_key, [batch.read(id_) for id_ in ids])

    return await work.read(read)


def _missing(failure: FailedAnswer, conversation_id: str, other: Exception) -> Exception:
    """What is missing, of a batch that begins with the conversation."""
    if not failure.is_missing_document:
        return failure
    return ConversationNotFound(conversation_id) if failure.operation == 0 else other


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    """Leave no task behind, whichever failed first."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
