"""One page of a list, read by a keyset query: what stands between two sort keys, in order.

Never hands a continuation of the database to a caller: those die with its partitions.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from conversations.api.errors import ApiError, ErrorDetail
from conversations.api.query import Page
from conversations.database.documents import key_range
from conversations.database.session import Work
from conversations.limits import MAX_PAGE_BYTES

# A further condition of a query, in our own words, and the parameters that it uses.
Filter = tuple[str, Mapping[str, str]]

# A filter may look at all that a user has: it gets this part of what is left of the budget.
_SHARE_OF_A_FILTER = 0.5


class FilterTimeout(ApiError):
    """Nothing that matches was found in time; a repeat would look at the same again."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    type = "server_error"

    def __init__(self) -> None:
        super().__init__(
            ErrorDetail(
                "Nothing that matches was found in time. Narrow the search with 'after' or "
                "'before'.",
                "timeout",
            ),
            headers={"x-should-retry": "false"},
            reason="a filter was not done in half of the budget",
        )


class Row(NamedTuple):
    """One object of a page: its id, and how it reads as JSON."""

    id: str
    json: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """The objects of a page in the asked order, and whether more follow in that direction."""

    rows: list[Row]
    has_more: bool

    def body(self) -> bytes:
        """The list object of the API."""
        first, last = (f'"{self.rows[end].id}"' if self.rows else "null" for end in (0, -1))
        more = "true" if self.has_more else "false"
        end = f'],"first_id":{first},"last_id":{last},"has_more":{more}}}'
        return b'{"object":"list","data":[%b%b' % (
            b",".join(row.json for row in self.rows),
            end.encode(),
        )


@dataclass(frozen=True, slots=True)
class Range:
    """What stands between two sort keys, both excluded, read in one of two directions."""

    low: str
    high: str
    descending: bool
    reversed: bool
    """Whether the asked order is the other one: of what is in front of a cursor, the nearest."""

    @classmethod
    def of(cls, prefix: str, page: Page, cursor: str | None = None) -> "Range":
        """All that begins with `prefix`, which ends in `/`; beyond or in front of `cursor`."""
        low, high = key_range(prefix)
        descending = page.order == "desc"
        if cursor is not None:
            backwards = page.before is not None
            if descending is backwards:
                low = cursor
            else:
                high = cursor
            return cls(low, high, descending is not backwards, backwards)
        return cls(low, high, descending, reversed=False)


async def read_page(
    work: Work,
    isolation_key: str | None,
    select: str,
    range_: Range,
    limit: int,
    row: Callable[[Any], Row],
    filters: Sequence[Filter] = (),
) -> Rows:
    """Up to `limit` rows of a range.

    `select` begins the query's text. Short and empty answers are followed; a page that would be
    over MAX_PAGE_BYTES ends early, after one row at least.

    Raises FilterTimeout, AzureError.
    """
    text = [select, "FROM c WHERE c.isolation_key = @key AND c.sort_key > @low"]
    text.append("AND c.sort_key < @high")
    parameters: dict[str, Any] = {
        "@key": isolation_key,
        "@low": range_.low,
        "@high": range_.high,
    }
    for condition, values in filters:
        text.append(f"AND {condition}")
        parameters.update(values)
    text.append(f"ORDER BY c.sort_key {'DESC' if range_.descending else 'ASC'}")
    query = " ".join(text)
    # Without filters the budget itself is the end, and who meets it says so.
    patience = work.seconds_left * _SHARE_OF_A_FILTER if filters else None
    rows: list[Row] = []
    has_more = True
    try:
        async with asyncio.timeout(patience):
            has_more = await _fill(work, isolation_key, query, parameters, limit, row, rows)
    except TimeoutError:
        if not rows:
            raise FilterTimeout from None
    if range_.reversed:
        rows.reverse()
    return Rows(rows, has_more)


async def _fill(
    work: Work,
    isolation_key: str | None,
    query: str,
    parameters: Mapping[str, Any],
    limit: int,
    row: Callable[[Any], Row],
    rows: list[Row],
) -> bool:
    """Append to `rows` until the page is full. Returns whether there is more."""
    size = 0
    continuation: str | None = None
    while True:
        wanted = limit + 1 - len(rows)
        answered = await work.query(
            isolation_key, query, parameters, max_items=wanted, continuation=continuation
        )
        for document in answered.documents:
            found = row(document)
            size += len(found.json)
            if len(rows) == limit or (rows and size > MAX_PAGE_BYTES):
                return True
            rows.append(found)
        continuation = answered.continuation
        if continuation is None:
            return False
