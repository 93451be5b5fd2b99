"""Conversations as documents: what is stored, and the requests of each operation.

The partition key is an argument of every operation. No operation reads a document in order to write
it back.
"""

import secrets
import time
from http import HTTPStatus

from pydantic import ValidationError

from conversations.api.errors import ApiError, ErrorDetail, InternalError
from conversations.api.isolation import IsolationKey
from conversations.database.documents import Document, Documents
from conversations.database.failures import DatabaseFailure, FailedAnswer
from conversations.database.session import Session
from conversations.resources.conversations.models import Conversation, ConversationId

Metadata = dict[str, str]


class ConversationNotFound(ApiError):
    """No such conversation under this isolation key; another user's is no different."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, conversation_id: str) -> None:
        super().__init__(ErrorDetail(f"Conversation with id '{conversation_id}' not found.", None))


class ConversationStore:
    """Conversations in a Cosmos DB container partitioned by `/isolation_key`.

    Every operation ends within the session's budget, and raises AzureError when the database fails.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, isolation_key: IsolationKey | None, metadata: Metadata) -> Conversation:
        """Store a new conversation."""
        # Drawn out here: a retry must send the same id, to be recognised as one.
        first, second = (_new_document(isolation_key, metadata) for _ in range(2))

        async def write(documents: Documents) -> Document:
            try:
                return await _create_or_read(documents, first)
            except FailedAnswer as failure:
                if not failure.is_missing_document:
                    raise
            return await _create_or_read(documents, second)

        return _conversation(await self._session.run(write))

    async def retrieve(
        self, isolation_key: IsolationKey | None, conversation_id: ConversationId
    ) -> Conversation:
        """Read one conversation. Raises ConversationNotFound."""

        async def read(documents: Documents) -> Document:
            return await documents.read(isolation_key, conversation_id)

        try:
            return _conversation(await self._session.run(read))
        except DatabaseFailure as failure:
            raise _not_found(failure, conversation_id) from failure

    async def replace_metadata(
        self,
        isolation_key: IsolationKey | None,
        conversation_id: ConversationId,
        metadata: Metadata,
    ) -> Conversation:
        """Replace the metadata, touching nothing else, in one patch. Raises ConversationNotFound.

        One `set` on the whole property: metadata keys may hold `/` and `~`, so they never go into a
        patch path, and re-sending it changes nothing.
        """

        async def patch(documents: Documents) -> Document:
            return await documents.set(isolation_key, conversation_id, "/metadata", metadata)

        try:
            return _conversation(await self._session.run(patch))
        except DatabaseFailure as failure:
            raise _not_found(failure, conversation_id) from failure

    async def delete(
        self, isolation_key: IsolationKey | None, conversation_id: ConversationId
    ) -> None:
        """Remove one conversation. Raises ConversationNotFound."""

        async def remove(documents: Documents) -> None:
            await documents.delete(isolation_key, conversation_id)

        try:
            await self._session.run(remove)
        except DatabaseFailure as failure:
            raise _not_found(failure, conversation_id) from failure


def _not_found(failure: DatabaseFailure, conversation_id: str) -> Exception:
    return ConversationNotFound(conversation_id) if failure.is_missing_document else failure


async def _create_or_read(documents: Documents, document: Document) -> Document:
    """Create the document; one that is there already came from our own earlier attempt.

    An id has 160 random bits, and a request that was broken off is sent again.
    """
    try:
        return await documents.create(document)
    except FailedAnswer as failure:
        if failure.status != HTTPStatus.CONFLICT:
            raise
    return await documents.read(document["isolation_key"], document["id"])


def _new_document(isolation_key: IsolationKey | None, metadata: Metadata) -> Document:
    created_at = int(time.time())
    return {
        "id": f"conv_{created_at:08x}{secrets.token_hex(20)}",
        "isolation_key": isolation_key,
        "type": "conversation",  # so that other kinds of document can join the partition
        "created_at": created_at,
        "metadata": metadata,
    }


def _conversation(document: Document) -> Conversation:
    try:
        return Conversation.model_validate(document)
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        fields = ", ".join(sorted(wrong))
    raise InternalError(f"a stored document is no conversation: check its {fields}")
