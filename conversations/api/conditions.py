"""The headers that guard a write or save an answer (docs/contract.md#conditional-requests).

Their form, and which requests may be sent again blindly because of them. Knows no versions: which
one a conversation has is the store's. Imports neither pydantic nor the Cosmos SDK: the table of
routes, which the host waits for, is made with this.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from conversations.api.errors import ErrorDetail, InvalidRequest
from conversations.limits import MAX_IDEMPOTENCY_KEY_LENGTH

# An entity tag and a list of them, which may have empty members and must have another
# (https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3, #section-5.6.1). The host has decoded
# UTF-8, so what the RFC calls obs-text can be any character beyond ASCII.
_TAG = re.compile(r'(W/)?"([!#-~\x80-\U0010ffff]*)"')
_LIST = re.compile(rf"[ \t,]*+{_TAG.pattern}(?:[ \t]*+,[ \t,]*+{_TAG.pattern})*+[ \t,]*+")

_IDEMPOTENCY_KEY = re.compile(rf"[ -~]{{1,{MAX_IDEMPOTENCY_KEY_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class EntityTags:
    """What a request's `If-Match` or `If-None-Match` names: opaque tags without their quotes.

    `everything`: it was `*`, which any version matches.
    """

    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    everything: bool = False

    def match(self, tag: str) -> bool:
        """Whether the strong `tag` is among them, as `If-Match` compares: weak ones never match."""
        return self.everything or tag in self.strong

    def match_weakly(self, tag: str) -> bool:
        """Whether `tag` is among them, as `If-None-Match` compares."""
        return self.match(tag) or tag in self.weak


def if_match(headers: Mapping[str, str]) -> EntityTags | None:
    """The versions that a write is meant for; None if any is. Raises InvalidRequest."""
    return _entity_tags(headers, "If-Match")


def if_none_match(headers: Mapping[str, str]) -> EntityTags | None:
    """The versions that the caller has already; None without the header. Raises InvalidRequest."""
    return _entity_tags(headers, "If-None-Match")


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The key that makes repetitions of a create one (docs/contract.md#idempotency-key).

    Raises InvalidRequest.
    """
    key = headers.get("idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequest(
            ErrorDetail(
                f"Invalid 'Idempotency-Key': expected 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} printable "
                "ASCII characters.",
                "invalid_value",
                "Idempotency-Key",
            )
        )
    return key


def repeatable_create(headers: Mapping[str, str]) -> bool:
    """Whether a create may be sent again blindly: only its key keeps it from doubling."""
    return "idempotency-key" in headers


def repeatable_write(headers: Mapping[str, str]) -> bool:
    """Whether another write may: under a condition its own first attempt looks like another's."""
    return "if-match" not in headers


def _entity_tags(headers: Mapping[str, str], name: str) -> EntityTags | None:
    value = headers.get(name.lower())
    if value is None:
        return None
    if value.strip(" \t") == "*":
        return EntityTags(everything=True)
    if not _LIST.fullmatch(value):
        raise InvalidRequest(
            ErrorDetail(
                f"Invalid '{name}': expected '*' or entity tags in quotes, separated by commas.",
                "invalid_value",
                name,
            )
        )
    tags = _TAG.findall(value)
    return EntityTags(
        strong=tuple(tag for weak, tag in tags if not weak),
        weak=tuple(tag for weak, tag in tags if weak),
    )
