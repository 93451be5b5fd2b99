"""The contract's numbers, for tests that may run against a server of anybody's.

They stand here and nowhere else in the tests, and are copied from docs/contract.md by hand: what a
caller may rely on must not follow the code. `tests/unit/test_limits.py` holds them against it.
"""

# docs/contract.md#metadata-limits
METADATA_PAIRS = 16
METADATA_KEY_LENGTH = 64
METADATA_VALUE_LENGTH = 512

# docs/contract.md#body-errors
UPDATE_BYTES = 131_072
JSON_DEPTH = 64

# docs/contract.md#item-limits
CREATE_BYTES = 1_048_576
ITEMS_PER_CALL = 98

# docs/contract.md#item-types, docs/contract.md#item-ids
ITEM_TYPE_LENGTH = 64
ITEM_ID_LENGTH = 64

# docs/contract.md#item-order-and-pages
DEFAULT_PAGE_SIZE = 20
PAGE_SIZE = 100

# docs/contract.md#idempotency-key
IDEMPOTENCY_KEY_LENGTH = 255

# What an error lists, and how much of a value it quotes (docs/contract.md#errors).
ERROR_DETAILS = 100
QUOTED_LENGTH = 64

# docs/contract.md#ids, the prefix included
CONVERSATION_ID_LENGTH = 128

# docs/contract.md#isolation-key
ISOLATION_KEY_LENGTH = 512

# docs/contract.md#headers
CLIENT_REQUEST_ID_LENGTH = 128


def largest_metadata() -> dict[str, str]:
    """As many pairs as there may be, as long as they may be, of what JSON needs most bytes for."""
    return {
        chr(0x1F400 + number) * METADATA_KEY_LENGTH: "🧪" * METADATA_VALUE_LENGTH
        for number in range(METADATA_PAIRS)
    }
