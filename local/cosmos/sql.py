"""The SQL of Cosmos DB that the app speaks: parsed once, evaluated document by document.

Queries of one container (`SELECT`, `FROM`, `WHERE`, `ORDER BY`) and the conditions of patches.
What it does not know is a SqlError that names it. Knows no storage and no HTTP.
"""

import functools
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.cosmos.expressions import (
    COMPARISONS,
    UNDEFINED,
    Comparison,
    Constant,
    Expression,
    IsDefined,
    Logical,
    Not,
    Parameter,
    Parameters,
    Property,
    StartsWith,
)

# https://learn.microsoft.com/azure/cosmos-db/concepts-limits#sql-query-limits
MAX_QUERY_LENGTH = 512 * 1024
MAX_NESTING = 100  # ours: what a parser without a stack of its own can go down


class SqlError(Exception):
    """What is wrong with a query, or not known here."""


# Bare names that the language keeps for itself: c.value is an error, c["value"] is not.
_RESERVED = frozenset(
    re.findall(
        "[A-Z]+",
        """
        AND ARRAY AS ASC BETWEEN BY CASE CAST CONVERT CROSS DESC DISTINCT ELSE END ESCAPE EXISTS
        FALSE FOR FROM GROUP HAVING IN INNER INSERT INTO IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET
        ON OR ORDER OUTER OVER RIGHT SELECT SET THEN TOP TRUE UDF UNDEFINED UPDATE VALUE WHEN
        WHERE WITH
        """,
    )
)
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<parameter>@[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol>!=|<=|>=|[=<>(),.*\[\]])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = dict(zip("bfnrt\\/\"'", "\b\f\n\r\t\\/\"'", strict=True))


@dataclass(frozen=True, slots=True)
class Query:
    """A query. `columns` None: `value` is each result; else an object of the columns is."""

    value: Expression
    columns: tuple[tuple[str, Expression], ...] | None
    where: Expression
    order_by: Property | None
    descending: bool
    parameters: frozenset[str]

    def matches(self, document: dict[str, Any], parameters: Parameters) -> bool:
        """Whether the document is a result. `parameters` has all that the query names."""
        return self.where.evaluate(document, parameters) is True

    def select(self, document: dict[str, Any], parameters: Parameters) -> Any:
        """What the query says of a document that matches; UNDEFINED: nothing, no result."""
        if self.columns is None:
            return self.value.evaluate(document, parameters)
        values = ((name, one.evaluate(document, parameters)) for name, one in self.columns)
        return {name: value for name, value in values if value is not UNDEFINED}


@functools.lru_cache(maxsize=256)
def parse_query(text: str) -> Query:
    """Parse `SELECT ... FROM c [WHERE ...] [ORDER BY ...]`. Raises SqlError."""
    return _Parser(text).query()


@functools.lru_cache(maxsize=256)
def parse_condition(text: str) -> Expression:
    """Parse a patch's `FROM c WHERE ...`, which takes no parameters. Raises SqlError."""
    return _Parser(text).condition()


class _Parser:
    """Recursive descent; one method a rule, from the loosest binding to the tightest."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._parameters: set[str] = set()
        self._alias = _alias(self._tokens)

    def query(self) -> Query:
        self._expect("SELECT")
        columns: list[tuple[str, Expression]] | None = None
        value: Expression = Property(())
        if self._accept("VALUE"):
            value = self._disjunction()
        elif not self._accept("*"):
            columns = [self._column()]
            while self._accept(","):
                columns.append(self._column())
        self._expect("FROM")
        self._at += 1  # the alias, which `_alias` has found and checked
        where = self._disjunction() if self._accept("WHERE") else Constant(True)
        order_by, descending = None, False
        if self._accept("ORDER"):
            self._expect("BY")
            order_by = self._property()
            descending = self._accept("DESC")
            if not descending:
                self._accept("ASC")
        self._end()
        return Query(
            value,
            None if columns is None else tuple(columns),
            where,
            order_by,
            descending,
            frozenset(self._parameters),
        )

    def condition(self) -> Expression:
        self._expect("FROM")
        self._at += 1
        self._expect("WHERE")
        where = self._disjunction()
        self._end()
        if self._parameters:
            raise SqlError(f"A patch condition takes no parameters: {min(self._parameters)}.")
        return where

    def _column(self) -> tuple[str, Expression]:
        place = self._property()
        last = place.path[-1] if place.path else Constant(self._alias)
        if self._accept("AS"):
            return self._name(), place
        if isinstance(last, Constant):
            return str(last.value), place
        raise SqlError(f"The selected {last.name} has no name; give it one with AS.")

    def _disjunction(self) -> Expression:
        operands = [self._conjunction()]
        while self._accept("OR"):
            operands.append(self._conjunction())
        return operands[0] if len(operands) == 1 else Logical(True, tuple(operands))

    def _conjunction(self) -> Expression:
        operands = [self._comparison()]
        while self._accept("AND"):
            operands.append(self._comparison())
        return operands[0] if len(operands) == 1 else Logical(False, tuple(operands))

    def _comparison(self) -> Expression:
        if self._accept("NOT"):
            # No comparison may follow: whether it or NOT binds first differs between dialects.
            return Not(self._nested(self._negated))
        left = self._primary()
        for symbol in COMPARISONS:
            if self._accept(symbol):
                return Comparison(symbol, left, self._primary())
        return left

    def _negated(self) -> Expression:
        return Not(self._nested(self._negated)) if self._accept("NOT") else self._primary()

    def _primary(self) -> Expression:
        kind, text = self._tokens[self._at]
        word = text.upper()
        if kind == "number" or kind == "string":
            self._at += 1
            return Constant(_literal(kind, text))
        if kind == "parameter":
            return self._parameter()
        if self._accept("("):
            inner = self._nested(self._disjunction)
            self._expect(")")
            return inner
        if kind == "name" and word in _CONSTANTS:
            self._at += 1
            return Constant(_CONSTANTS[word])
        if kind == "name" and self._tokens[self._at + 1] == ("symbol", "("):
            return self._call()
        return self._property()

    def _call(self) -> Expression:
        name = self._tokens[self._at][1]
        self._at += 2
        arguments = [self._nested(self._disjunction)]
        while self._accept(","):
            arguments.append(self._nested(self._disjunction))
        self._expect(")")
        match name.upper(), arguments:
            case "IS_DEFINED", [operand]:
                return IsDefined(operand)
            case "STARTSWITH", [text, prefix]:
                return StartsWith(text, prefix)
        raise SqlError(f"The function {name} with {len(arguments)} arguments is not known here.")

    def _property(self) -> Property:
        if self._name() != self._alias:
            name = self._tokens[self._at - 1][1]
            raise SqlError(f"Identifier '{name}' could not be resolved.")
        path: list[Constant | Parameter] = []
        while True:
            if self._accept("."):
                path.append(Constant(self._name()))
            elif self._accept("["):
                kind, text = self._tokens[self._at]
                if kind == "parameter":
                    path.append(self._parameter())
                elif kind == "string":
                    path.append(Constant(_literal(kind, text)))
                    self._at += 1
                else:
                    raise self._unexpected()
                self._expect("]")
            else:
                return Property(tuple(path))

    def _parameter(self) -> Parameter:
        name = self._tokens[self._at][1]
        self._at += 1
        self._parameters.add(name)
        return Parameter(name)

    def _name(self) -> str:
        kind, text = self._tokens[self._at]
        if kind != "name" or text.upper() in _RESERVED:
            raise self._unexpected()
        self._at += 1
        return text

    def _nested(self, rule: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise SqlError(f"The query is nested over {MAX_NESTING} levels deep.")
        inner = rule()
        self._depth -= 1
        return inner

    def _accept(self, word: str) -> bool:
        kind, text = self._tokens[self._at]
        found = kind in {"name", "symbol"} and text.upper() == word
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _end(self) -> None:
        if self._tokens[self._at][0] != "end":
            raise self._unexpected()

    def _unexpected(self) -> SqlError:
        kind, text = self._tokens[self._at]
        near = "the end" if kind == "end" else f"'{text[:100]}'"
        return SqlError(f"Syntax error, incorrect syntax near {near}.")


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > MAX_QUERY_LENGTH:
        raise SqlError(f"The query is longer than {MAX_QUERY_LENGTH} characters.")
    found = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if not match:
            raise SqlError(f"Syntax error, incorrect syntax near '{text[at : at + 20].strip()}'.")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return [*found, ("end", "")]


def _alias(tokens: list[tuple[str, str]]) -> str:
    """What the query calls a document: known only behind FROM, needed before it."""
    for (_, word), (kind, name) in itertools.pairwise(tokens):
        if word.upper() == "FROM" and kind == "name" and name.upper() not in _RESERVED:
            return name
    raise SqlError("A query or condition needs FROM and a name, as in FROM c.")


def _literal(kind: str, text: str) -> Any:
    if kind == "number":
        number = float(text)
        if not math.isfinite(number):
            raise SqlError(f"The number {text[:100]} is too large.")
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    try:
        # Two escapes may make one character, as in JSON.
        units = _ESCAPE.sub(_unescaped, text[1:-1]).encode("utf-16", "surrogatepass")
        return units.decode("utf-16")
    except (KeyError, UnicodeDecodeError):
        raise SqlError(f"Syntax error, incorrect syntax near {text[:100]}.") from None


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES[code]
