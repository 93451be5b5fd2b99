"""Removing what a deleted conversation leaves: its items, a transaction at a time.

Only items whose conversation is gone are removed here, or those of one that is being deleted. The
marker of the deletion is the sweep's to remove.
"""

import asyncio
from contextlib import suppress

from azure.core.exceptions import AzureError

from conversations.database import documents as batch
from conversations.database.documents import Documents, key_range
from conversations.database.failures import FailedAnswer
from conversations.database.session import Work
from conversations.limits import MAX_BATCH_OPERATIONS
from conversations.resources.items.documents import listed

# One less than a batch takes: it may begin with a read.
ITEMS_AT_ONCE = MAX_BATCH_OPERATIONS - 1

# Of what is left of a delete's budget, what it gives to the items; the sweep does the rest.
_SHARE_IN_PASSING = 0.5


async def remove_in_passing(work: Work, isolation_key: str | None, conversation_id: str) -> None:
    """Remove items of a conversation that was just deleted, as far as the budget goes."""
    with suppress(AzureError, TimeoutError):
        async with asyncio.timeout(work.seconds_left * _SHARE_IN_PASSING):
            while await remove_items(work, isolation_key, conversation_id):
                pass


async def remove_items(work: Work, isolation_key: str | None, conversation_id: str) -> bool:
    """Remove up to ITEMS_AT_ONCE items. Returns whether there were any.

    Raises AzureError.
    """
    ids = await _item_document_ids(work, isolation_key, conversation_id)
    if ids:
        await _remove(work, isolation_key, [batch.delete(id_) for id_ in ids])
    return bool(ids)


async def make_room(work: Work, isolation_key: str | None, conversation_id: str) -> int | None:
    """Remove items while the conversation is still there: a full partition takes no marker.

    Returns how many were removed; None if there is no such conversation.
    """
    ids = await _item_document_ids(work, isolation_key, conversation_id)
    operations = [batch.read(conversation_id), *(batch.delete(id_) for id_ in ids)]
    try:
        await _remove(work, isolation_key, operations)
    except FailedAnswer as failure:
        if failure.operation == 0 and failure.is_missing_document:
            return None
        raise
    return len(ids)


async def _remove(work: Work, isolation_key: str | None, operations: list[batch.Document]) -> None:
    """Run a batch that removes documents; that one of them is gone already is as good."""

    async def run(documents: Documents) -> None:
        await documents.batch(isolation_key, operations)

    try:
        await work.read(run)  # sent again, it can only remove less
    except FailedAnswer as failure:
        was_gone = failure.is_missing_document and failure.operation is not None
        if not was_gone or operations[failure.operation or 0]["operationType"] == "Read":
            raise


async def _item_document_ids(
    work: Work, isolation_key: str | None, conversation_id: str
) -> list[str]:
    """The ids of the first ITEMS_AT_ONCE item documents; empty if there are none."""
    low, high = key_range(listed(conversation_id))
    parameters = {"@key": isolation_key, "@low": low, "@high": high}
    continuation: str | None = None
    while True:
        page = await work.query(
            isolation_key,
            "SELECT VALUE c.id FROM c WHERE c.isolation_key = @key"
            " AND c.sort_key > @low AND c.sort_key < @high",
            parameters,
            max_items=ITEMS_AT_ONCE,
            continuation=continuation,
        )
        if page.documents or page.continuation is None:
            return [str(id_) for id_ in page.documents]
        continuation = page.continuation
