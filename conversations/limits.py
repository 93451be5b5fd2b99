"""Every limit of the API, once, with its reason and its source; what follows from one is computed.

Lengths are counted in Unicode code points, as `len` and pydantic count them. What a limit's error
says is decided where the error is raised.
"""

# Metadata (docs/contract.md#metadata-limits): OpenAI's own numbers.
MAX_METADATA_PAIRS = 16
MAX_METADATA_KEY_LENGTH = 64
MAX_METADATA_VALUE_LENGTH = 512

# The longest that JSON can make one code point: a surrogate pair, each half as `\uXXXX`.
_ESCAPED_CODE_POINT_BYTES = 12
# Around a pair: four quotes, a colon, a comma.
_PAIR_BYTES = 6 + _ESCAPED_CODE_POINT_BYTES * (MAX_METADATA_KEY_LENGTH + MAX_METADATA_VALUE_LENGTH)
LARGEST_UPDATE_BYTES = len('{"metadata":{}}') - 1 + MAX_METADATA_PAIRS * _PAIR_BYTES
"""The longest body that is a valid update and has no needless blanks: every character escaped."""

MAX_UPDATE_BYTES = 1 << LARGEST_UPDATE_BYTES.bit_length()
"""A power of two with room for blanks (docs/contract.md#body-errors)."""

MAX_JSON_DEPTH = 64
"""Objects and arrays inside each other, the body the first; not left to the interpreter."""

MAX_SAFE_INTEGER = (1 << 53) - 1
"""Either way of zero: the database keeps numbers as doubles, which hold no larger one exactly."""

# Items of a create (docs/contract.md#item-limits).
MAX_CREATE_BYTES = 1 << 20
"""Both creates: what is stored has to fit into a batch of Cosmos DB, 2 MB."""

# A Cosmos DB transactional batch
# (https://learn.microsoft.com/azure/cosmos-db/transactional-batch#limitations).
MAX_BATCH_OPERATIONS = 100
MAX_BATCH_BYTES = 2_000_000
"""The page says 2 MB: whichever of the two it means."""

MAX_ITEMS_PER_CALL = MAX_BATCH_OPERATIONS - 2
"""One batch, beside the conversation and the idempotency record."""

# Ids and names (docs/contract.md#ids, #item-ids, #item-types): Azure's conversation ids have 50
# characters after the prefix, ours 48.
MAX_CONVERSATION_ID_LENGTH = 128
MAX_ITEM_ID_LENGTH = 64
MAX_ITEM_TYPE_LENGTH = 64

# Pages (docs/contract.md#item-order-and-pages): OpenAI's own numbers.
DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

# Headers (docs/contract.md#isolation-key, #headers, #idempotency-key).
MAX_ISOLATION_KEY_LENGTH = 512
MAX_CLIENT_REQUEST_ID_LENGTH = 128
MAX_IDEMPOTENCY_KEY_LENGTH = 255

# What an error says of a request (docs/contract.md#errors): readable, however wrong that was.
MAX_ERROR_DETAILS = 100
MAX_QUOTED_VALUE_LENGTH = 64
MAX_QUOTED_NAME_LENGTH = 256
"""Names are quoted whole, a little too long as well as right, but not when they are megabytes."""

# Names of a Cosmos DB database or container
# (https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits, resource names).
MAX_COSMOS_NAME_LENGTH = 255

# The budget of a request's database work, in seconds: API Management gives up later than this.
DEFAULT_TIMEOUT_SECONDS = 5
MAX_TIMEOUT_SECONDS = 30

# Idempotency records (docs/contract.md#idempotency-key): a day.
IDEMPOTENCY_SECONDS = 86_400

# A page of a list ends early rather than be longer: items have up to a megabyte each
# (docs/contract.md#item-limits).
MAX_PAGE_BYTES = 4_194_304

# The sweep of deleted conversations ends by itself well before the host would end it, and every
# request of the process with it: half of `functionTimeout` in host.json.
SWEEP_SECONDS = 150
# How long a deletion's marker stays at least: a request that was late must still meet it.
MARKER_SECONDS = 300

# Tokens of the gateway (docs/contract.md#gateway-lock).
TOKEN_LEEWAY_SECONDS = 60
ISSUER_KEYS_SECONDS = 60
"""An unknown key makes the app ask the issuer for its keys, at most this often."""
MAX_REMEMBERED_TOKENS = 900
"""A gateway uses one for an hour or more: this is only a bound."""
