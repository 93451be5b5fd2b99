"""The limits are the contract's, and what is computed from them holds."""

import json

import pytest

from conversations import limits
from tests.support import limits as contract


@pytest.mark.parametrize(
    ("limit", "promised"),
    [
        (limits.MAX_METADATA_PAIRS, contract.METADATA_PAIRS),
        (limits.MAX_METADATA_KEY_LENGTH, contract.METADATA_KEY_LENGTH),
        (limits.MAX_METADATA_VALUE_LENGTH, contract.METADATA_VALUE_LENGTH),
        (limits.MAX_UPDATE_BYTES, contract.UPDATE_BYTES),
        (limits.MAX_JSON_DEPTH, contract.JSON_DEPTH),
        (limits.MAX_CREATE_BYTES, contract.CREATE_BYTES),
        (limits.MAX_ITEMS_PER_CALL, contract.ITEMS_PER_CALL),
        (limits.MAX_ITEM_TYPE_LENGTH, contract.ITEM_TYPE_LENGTH),
        (limits.MAX_ITEM_ID_LENGTH, contract.ITEM_ID_LENGTH),
        (limits.DEFAULT_PAGE_SIZE, contract.DEFAULT_PAGE_SIZE),
        (limits.MAX_PAGE_SIZE, contract.PAGE_SIZE),
        (limits.MAX_IDEMPOTENCY_KEY_LENGTH, contract.IDEMPOTENCY_KEY_LENGTH),
        (limits.MAX_ERROR_DETAILS, contract.ERROR_DETAILS),
        (limits.MAX_QUOTED_VALUE_LENGTH, contract.QUOTED_LENGTH),
        (limits.MAX_CONVERSATION_ID_LENGTH, contract.CONVERSATION_ID_LENGTH),
        (limits.MAX_ISOLATION_KEY_LENGTH, contract.ISOLATION_KEY_LENGTH),
        (limits.MAX_CLIENT_REQUEST_ID_LENGTH, contract.CLIENT_REQUEST_ID_LENGTH),
    ],
)
def test_a_limit_is_what_the_contract_promises(limit: int, promised: int) -> None:
    assert limit == promised


def test_the_largest_update_is_that_of_all_limits_at_once() -> None:
    metadata = contract.largest_metadata()
    assert len(metadata) == limits.MAX_METADATA_PAIRS

    body = json.dumps({"metadata": metadata}, separators=(",", ":"))

    assert body.isascii()  # everything in it is escaped
    assert len(body) == limits.LARGEST_UPDATE_BYTES


def test_the_body_limit_leaves_the_largest_update_room_for_blanks() -> None:
    body = json.dumps({"metadata": contract.largest_metadata()}, indent=4)

    assert limits.LARGEST_UPDATE_BYTES < len(body) <= limits.MAX_UPDATE_BYTES
    assert limits.MAX_UPDATE_BYTES.bit_count() == 1


def test_the_budget_has_room_below_its_own_limit() -> None:
    assert 0 < limits.DEFAULT_TIMEOUT_SECONDS < limits.MAX_TIMEOUT_SECONDS
