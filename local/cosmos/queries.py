"""Runs a query over the stand-in's index, page by page.

A query reads the range of the index that its WHERE says about `sort_key`, whoever the documents
there belong to, as Cosmos DB does: the partition key is not indexed, so it is looked at when a
document was touched. What a page touched is counted. Knows no HTTP.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from local.cosmos.documents import parse_json, rendered
from local.cosmos.expressions import (
    UNDEFINED,
    Comparison,
    Constant,
    Expression,
    Logical,
    Parameter,
    Parameters,
    Property,
    StartsWith,
)
from local.cosmos.refusal import Refusal, bad_request
from local.cosmos.sql import Query, SqlError, parse_query
from local.cosmos.storage import Bound, Place, Storage

INDEXED = "sort_key"
# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
MAX_PAGE_BYTES = 4 * 1024 * 1024

_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Page:
    """Results, where the next page begins (None: there is none), and what was touched for it."""

    results: list[Any]
    continuation: str | None
    touched: int
    touched_bytes: int

    @property
    def charge(self) -> float:
        """Request units: a guess that grows with what was touched."""
        return round(2.5 + 0.1 * self.touched + self.touched_bytes / 100_000, 2)


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed query with its parameters."""

    query: Query
    parameters: Parameters

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Statement":
        """Take it from a request's body, `{"query", "parameters"}`. Raises Refusal."""
        text, sent = body.get("query"), body.get("parameters") or []
        if not isinstance(text, str):
            raise bad_request("A query is a string.")
        try:
            query = parse_query(text)
            parameters = {one["name"]: one["value"] for one in sent}
            missing = query.parameters - parameters.keys()
        except SqlError as error:
            raise bad_request(str(error)) from None
        except (TypeError, KeyError):
            raise bad_request("Each query parameter has a name and a value.") from None
        if missing:
            raise bad_request(f"The query parameter {min(missing)} has no value.")
        if query.order_by and not query.order_by.is_named(INDEXED):
            raise bad_request(
                "Order-by item requires a range index to be defined on the corresponding index"
                f" path. Indexed is /{INDEXED}/? alone."
            )
        return cls(query, parameters)

    def run(
        self,
        storage: Storage,
        container: str,
        *,
        partition_key: str | None,
        continuation: str | None,
        most_results: int,
        most_touched: int | None = None,
        as_of: int | None = None,
    ) -> Page:
        """One page; `partition_key` None is every one's.

        `most_touched` ends a page early, as running out of time does in Cosmos DB: it may be short
        or empty then, and have a continuation.
        """
        low, high = _range(self.query.where, self.parameters)
        results: list[Any] = []
        touched = touched_bytes = result_bytes = 0
        for entry in storage.scan(
            container,
            low=low,
            high=high,
            after=_place(continuation) if continuation else None,
            descending=self.query.descending,
            as_of=as_of,
        ):
            touched += 1
            touched_bytes += len(entry.text)
            if partition_key in {None, entry.partition_key}:
                document = rendered(entry.load())
                if self.query.matches(document, self.parameters):
                    result = self.query.select(document, self.parameters)
                    if result is not UNDEFINED:
                        results.append(result)
                        result_bytes += len(entry.text)
            if (
                len(results) == most_results
                or touched == most_touched
                or result_bytes > MAX_PAGE_BYTES
            ):
                # Whether anything follows is not looked up: the last page may be an empty one.
                return Page(results, _continuation(entry.place), touched, touched_bytes)
        return Page(results, None, touched, touched_bytes)


def _range(where: Expression, parameters: Parameters) -> tuple[Bound | None, Bound | None]:
    """The part of the index outside of which `where` cannot be true."""
    lows: list[Bound] = []
    highs: list[Bound] = []
    all_of = where.operands if isinstance(where, Logical) and not where.decisive else (where,)
    for one in all_of:
        for symbol, value in _limits(one, parameters):
            if symbol in {">", ">=", "="}:
                lows.append(Bound(value, symbol != ">"))
            if symbol in {"<", "<=", "="}:
                highs.append(Bound(value, symbol != "<"))
    return (
        max(lows, key=lambda low: (low.value, not low.inclusive), default=None),
        min(highs, key=lambda high: (high.value, high.inclusive), default=None),
    )


def _limits(condition: Expression, parameters: Parameters) -> list[tuple[str, str]]:
    """What one condition says about the indexed property, as comparisons with strings."""
    match condition:
        case Comparison(symbol, Property() as place, other) if symbol in _FLIPPED:
            pass
        case Comparison(symbol, other, Property() as place) if symbol in _FLIPPED:
            symbol = _FLIPPED[symbol]
        case StartsWith(Property() as place, other):
            symbol = "STARTSWITH"
        case _:
            return []
    if not place.is_named(INDEXED) or not isinstance(other, Constant | Parameter):
        return []
    value = other.evaluate(None, parameters)
    if not isinstance(value, str):
        return []
    if symbol == "STARTSWITH":
        return [(">=", value), ("<=", value + _LAST_CHARACTER)]
    return [(symbol, value)]


def _continuation(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(continuation: str) -> Place:
    try:
        place = parse_json(base64.urlsafe_b64decode(continuation))
    except (ValueError, Refusal):
        place = None
    match place:
        case [str(sort_key), str(partition_key), str(id_)]:
            return sort_key, partition_key, id_
    raise bad_request("Invalid Continuation Token")
