"""The isolation key: from the request header to the Cosmos partition key.

The rules: docs/contract.md#isolation-key. Never trims, folds or hashes it: the key is opaque, and
two keys are one user only if equal.
"""

import re
from collections.abc import Mapping
from typing import NewType

from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.limits import MAX_ISOLATION_KEY_LENGTH

HEADER = "x-ms-user-isolation-key"

IsolationKey = NewType("IsolationKey", str)

# Printable ASCII characters, no blank at either end, no comma: the Functions host joins
# repeated headers with one, and two keys must not become a third user.
_WELL_FORMED = re.compile(rf"(?! )[ -+\--~]{{1,{MAX_ISOLATION_KEY_LENGTH}}}(?<! )")


def isolation_key(headers: Mapping[str, str], *, required: bool) -> IsolationKey | None:
    """The partition of this request: the header's value, or None for the un-keyed scope.

    Raises InvalidRequest if the header is ill-formed, or absent although `required`.
    """
    value = headers.get(HEADER)
    if value is None:
        if required:
            raise InvalidRequest(
                ErrorDetail(
                    f"Missing required parameter: '{HEADER}'.", "missing_required_parameter", HEADER
                )
            )
        return None
    if not _WELL_FORMED.fullmatch(value):
        raise InvalidRequest(
            ErrorDetail(
                f"Invalid '{HEADER}': expected 1 to {MAX_ISOLATION_KEY_LENGTH} printable ASCII "
                "characters, without a comma and without a blank at either end.",
                "invalid_value",
                HEADER,
            )
        )
    return IsolationKey(value)
