"""Evaluates the C# that the policies use: a few operators and methods, anything else is an error.

So a policy cannot change without its tests: they run the very text that the gateway gets.
"""

import base64
import hashlib
import hmac
import json
import operator
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))


class Jwt(SimpleNamespace):
    """A validated token, with its claims."""


class Hmac(SimpleNamespace):
    """An HMACSHA256 with its key."""


class Body(SimpleNamespace):
    """A body, which can be read as bytes."""


class Lists(dict[str, list[str]]):
    """Claims or headers: each name has a list of values. Claims are case-sensitive."""

    def get_value_or_default(self, name: str, default: str) -> str:
        """Join all values with commas."""
        return ",".join(self[name]) if name in self else default


class Headers(Lists):
    """Headers, whose names are in lower case here and case-insensitive there."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> list[str]:
        return super().__getitem__(name.lower())


_TYPES: dict[str, type] = {"Jwt": Jwt, "string": str, "bool": bool, "int": int, "long": int}

_STATICS: dict[str, Callable[..., Any]] = {
    "Convert.ToBase64String": lambda value: base64.b64encode(value).decode(),
    "Convert.ToString": str,
    "Encoding.UTF8.GetBytes": str.encode,
    "Regex.IsMatch": lambda value, pattern: re.search(pattern, value) is not None,
    "long.Parse": int,
}
_NEW: dict[str, Callable[..., Any]] = {
    "JObject": lambda *properties: dict(properties),
    "JProperty": lambda name, value: (name, value),
    "System.Security.Cryptography.HMACSHA256": lambda key: Hmac(key=key),
}

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "+": operator.add,
    "<": operator.lt,
    ">": operator.gt,
    ">=": operator.ge,
}

_METHODS: dict[tuple[type, str], Callable[..., Any]] = {
    (Lists, "ContainsKey"): lambda lists, name: name in lists,
    (Lists, "GetValueOrDefault"): Lists.get_value_or_default,
    (dict, "ContainsKey"): lambda variables, name: name in variables,
    (Hmac, "ComputeHash"): lambda this, value: hmac.digest(this.key, value, hashlib.sha256),
    (Body, "As"): lambda this, preserve_content: this.content,
    (list, "Contains"): lambda values, value: value in values,
    (str, "Split"): str.split,
    (str, "StartsWith"): str.startswith,
    (str, "Substring"): lambda value, start, length: value[start : start + length],
    (int, "ToString"): str,
    (dict, "ToString"): json.dumps,
    (UUID, "ToString"): lambda value, form: {"N": value.hex}[form],
}


def evaluate(expression: str, context: SimpleNamespace) -> Any:
    """Evaluate `@(...)`."""
    code = expression.strip()
    if not (code.startswith("@(") and code.endswith(")")):
        raise ValueError(f"not an expression: {expression}")
    source = "class P { object E() { return (" + code[2:-1] + "); } }"
    root = _PARSER.parse(source.encode()).root_node
    if root.has_error:
        raise ValueError(f"not C#: {expression}")
    returned = _find(root, "return_statement").named_children[0]
    return _value(returned, {"context": context})


def _find(node: Node, kind: str) -> Node:
    found = [node] if node.type == kind else [_find(child, kind) for child in node.children]
    return next((item for item in found if item.type == kind), node)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _value(node: Node, names: dict[str, Any]) -> Any:
    children = node.named_children
    match node.type:
        case "parenthesized_expression" | "argument":
            return _value(children[0], names)
        case "string_literal" | "character_literal":
            return "".join(_text(child) for child in children)
        case "integer_literal":
            return int(_text(node).rstrip("L"))
        case "boolean_literal":
            return _text(node) == "true"
        case "null_literal":
            return None
        case "conditional_expression":
            return _value(children[1 if _truth(_value(children[0], names)) else 2], names)
        case "identifier":
            return names[_text(node)]
        case "cast_expression":
            return _cast(_text(children[0]), _value(children[1], names))
        case "prefix_unary_expression" if _text(node).startswith("!"):
            return not _truth(_value(children[0], names))
        case "binary_expression":
            return _operate(node, names)
        case "member_access_expression":
            owner, name = _value(children[0], names), _text(children[1])
            return len(owner) if name == "Length" else getattr(owner, name)
        case "element_access_expression":
            return _value(children[0], names)[_value(children[1].named_children[0], names)]
        case "invocation_expression":
            return _call(node, names)
        case "object_creation_expression":
            return _NEW[_text(children[0])](*_arguments(node, names))
        case _:
            raise NotImplementedError(f"{node.type}: {_text(node)}")


def _operate(node: Node, names: dict[str, Any]) -> Any:
    left, right = node.named_children
    sign = _text(node.children[1])
    first = _value(left, names)
    if sign == "&&":
        return _truth(first) and _truth(_value(right, names))
    if sign == "||":
        return _truth(first) or _truth(_value(right, names))
    second = _value(right, names)
    if type(first) is not type(second) and None not in (first, second):
        raise TypeError(f"{_text(node)}: {first!r} {sign} {second!r}")
    return _OPERATORS[sign](first, second)


def _call(node: Node, names: dict[str, Any]) -> Any:
    owner, member = node.named_children[0].named_children
    name = _text(member).split("<")[0]
    arguments = _arguments(node, names)
    if static := _STATICS.get(f"{_text(owner)}.{name}"):
        return static(*arguments)
    target = _value(owner, names)
    for kind in type(target).__mro__:
        if (kind, name) in _METHODS:
            return _METHODS[kind, name](target, *arguments)
    raise NotImplementedError(f"{type(target).__name__}.{name}")


def _arguments(node: Node, names: dict[str, Any]) -> list[Any]:
    return [_value(argument, names) for argument in node.named_children[-1].named_children]


def _cast(name: str, value: Any) -> Any:
    if name == "int" and isinstance(value, float):
        return int(value)
    if not isinstance(value, _TYPES[name]):
        raise TypeError(f"({name}){value!r}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not a bool: {value!r}")
    return value
