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

# Ids in a path (docs/contract.md#ids): Azure's have 50 characters after the prefix, ours 48.
MAX_CONVERSATION_ID_LENGTH = 128

# Headers (docs/contract.md#isolation-key, #headers).
MAX_ISOLATION_KEY_LENGTH = 512
MAX_CLIENT_REQUEST_ID_LENGTH = 128

# Names of a Cosmos DB database or container
# (https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits, resource names).
MAX_COSMOS_NAME_LENGTH = 255

# The budget of a request's database work, in seconds: API Management gives up later than this.
DEFAULT_TIMEOUT_SECONDS = 5
MAX_TIMEOUT_SECONDS = 30
