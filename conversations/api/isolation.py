"""The isolation key: from the request headers to the Cosmos partition key.

The rules: docs/contract.md#isolation-key. Never trims, folds or hashes it: the key is opaque, and
two keys are one user only if equal.
"""

import re
from collections.abc import Mapping
from typing import NewType

from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.limits import MAX_ISOLATION_KEY_LENGTH

HEADER = "x-ms-user-isolation-key"
NEWER_HEADER = "x-ms-user-identity"  # Azure Foundry's name for the same

IsolationKey = NewType("IsolationKey", str)

# Printable ASCII characters, no blank at either end, no comma: the Functions host joins repeated
# headers with one, and two keys must not become a third user.
_WELL_FORMED = re.compile(rf"(?! )[ -+\--~]{{1,{MAX_ISOLATION_KEY_LENGTH}}}(?<! )")


def isolation_key(headers: Mapping[str, str], *, required: bool) -> IsolationKey | None:
    """The partition of this request: the header's value, or None for the un-keyed scope.

    Raises InvalidRequest if a header is ill-formed, if two of them name two users, or if there is
    none although one is `required`.
    """
    given = {name: headers[name] for name in (HEADER, NEWER_HEADER) if name in headers}
    for name, value in given.items():
        if not _WELL_FORMED.fullmatch(value):
            raise InvalidRequest(
                ErrorDetail(
                    f"Invalid '{name}': expected 1 to {MAX_ISOLATION_KEY_LENGTH} printable ASCII "
                    "characters, without a comma and without a blank at either end.",
                    "invalid_value",
                    name,
                )
            )
    if len(set(given.values())) > 1:
        message = f"Invalid '{NEWER_HEADER}': it names another user than '{HEADER}'."
        raise InvalidRequest(ErrorDetail(message, "invalid_value", NEWER_HEADER))
    if not given:
        if required:
            message = f"Missing required parameter: '{HEADER}'."
            raise InvalidRequest(ErrorDetail(message, "missing_required_parameter", HEADER))
        return None
    return IsolationKey(next(iter(given.values())))
