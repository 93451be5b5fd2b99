"""What the SQL of the stand-in is made of once it is parsed: expressions over one document.

Logic has three values. What is not there is undefined, which is not null; a comparison of
different types is undefined, and undefined is not true:
https://learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators
"""

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

Parameters = Mapping[str, Any]


class Undefined(Enum):
    """The value of what is not there."""

    UNDEFINED = "undefined"


UNDEFINED = Undefined.UNDEFINED

COMPARISONS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KINDS = {type(None): 0, bool: 1, int: 2, float: 2, str: 3, dict: 4, list: 5}
_LAST_SCALAR = 3


class Expression(Protocol):
    """Something that has a value for each document."""

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """The value, UNDEFINED if there is none."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Any

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """The literal itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that comes with the query."""

    name: str

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """What was sent for it."""
        return parameters[self.name]


@dataclass(frozen=True, slots=True)
class Property:
    """A place in the document; without `path` the document itself."""

    path: tuple[Constant | Parameter, ...]

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """What is there."""
        value = document
        for step in self.path:
            key = step.evaluate(document, parameters)
            if isinstance(value, dict) and isinstance(key, str) and key in value:
                value = value[key]
            else:
                return UNDEFINED
        return value

    def is_named(self, name: str) -> bool:
        """Whether it is this property of the document itself."""
        return self.path == (Constant(name),)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left` and `right`, compared within one type."""

    symbol: str
    left: Expression
    right: Expression

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """True, false, or undefined where the types differ or know no such comparison."""
        left = self.left.evaluate(document, parameters)
        right = self.right.evaluate(document, parameters)
        kind = _KINDS.get(type(left))
        if kind is None or kind != _KINDS.get(type(right)):
            return UNDEFINED
        if kind > _LAST_SCALAR:
            if self.symbol != "=":
                return UNDEFINED
            return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
        if left is None:
            return self.symbol in {"=", "<=", ">="}
        return COMPARISONS[self.symbol](left, right)


@dataclass(frozen=True, slots=True)
class Logical:
    """AND, or OR: the truth value `decisive` (false, true) among the operands decides."""

    decisive: bool
    operands: tuple[Expression, ...]

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """True, false, or undefined."""
        result: Any = not self.decisive
        for operand in self.operands:
            value = operand.evaluate(document, parameters)
            if value is self.decisive:
                return value
            if not isinstance(value, bool):
                result = UNDEFINED
        return result


@dataclass(frozen=True, slots=True)
class Not:
    """The other truth value."""

    operand: Expression

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """Undefined for what is no truth value."""
        value = self.operand.evaluate(document, parameters)
        return not value if isinstance(value, bool) else UNDEFINED


@dataclass(frozen=True, slots=True)
class IsDefined:
    """Whether something is there, null too."""

    operand: Expression

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """True or false."""
        return self.operand.evaluate(document, parameters) is not UNDEFINED


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Whether a string begins with another, case-sensitive."""

    text: Expression
    prefix: Expression

    def evaluate(self, document: Any, parameters: Parameters) -> Any:
        """Undefined where one of the two is no string."""
        text = self.text.evaluate(document, parameters)
        prefix = self.prefix.evaluate(document, parameters)
        if isinstance(text, str) and isinstance(prefix, str):
            return text.startswith(prefix)
        return UNDEFINED
