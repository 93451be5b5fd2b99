"""Evaluates the C# that the policies use: a few operators and methods, anything else is an error.

So a policy cannot change without its tests: they run the very text that the gateway gets.
"""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))


class Jwt(SimpleNamespace):
    """A validated token, with its claims."""


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


_TYPES: dict[str, type] = {"Jwt": Jwt, "string": str, "bool": bool, "int": int, "object": object}

_METHODS: dict[tuple[type, str], Callable[..., Any]] = {
    (Lists, "ContainsKey"): lambda lists, name: name in lists,
    (Lists, "GetValueOrDefault"): Lists.get_value_or_default,
    (dict, "GetValueOrDefault"): dict.get,
    (list, "Contains"): lambda values, value: value in values,
    (str, "Split"): str.split,
    (str, "StartsWith"): str.startswith,
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
            return int(_text(node))
        case "identifier":
            return names[_text(node)]
        case "cast_expression":
            return _cast(_text(children[0]), _value(children[1], names))
        case "prefix_unary_expression" if _text(node).startswith("!"):
            return not _truth(_value(children[0], names))
        case "binary_expression":
            return _operate(node, names)
        case "member_access_expression":
            return getattr(_value(children[0], names), _text(children[1]))
        case "element_access_expression":
            return _value(children[0], names)[_value(children[1].named_children[0], names)]
        case "invocation_expression":
            return _call(node, names)
        case "object_creation_expression":
            return _create(_text(children[0]), _arguments(node, names))
        case _:
            raise NotImplementedError(f"{node.type}: {_text(node)}")


def _operate(node: Node, names: dict[str, Any]) -> Any:
    left, right = node.named_children
    operator = _text(node.children[1])
    first = _value(left, names)
    if operator == "&&":
        return _truth(first) and _truth(_value(right, names))
    second = _value(right, names)
    if type(first) is not type(second) and None not in (first, second):
        raise TypeError(f"{_text(node)}: {first!r} {operator} {second!r}")
    match operator:
        case "==":
            return first == second
        case "!=":
            return first != second
        case "+":
            return first + second
        case ">=":
            return first >= second
        case _:
            raise NotImplementedError(operator)


def _call(node: Node, names: dict[str, Any]) -> Any:
    owner, member = node.named_children[0].named_children
    name = _text(member).split("<")[0]
    arguments = _arguments(node, names)
    if (_text(owner), name) == ("Convert", "ToString"):
        return str(arguments[0])
    if (_text(owner), name) == ("JValue", "CreateNull"):
        return None
    target = _value(owner, names)
    for kind in type(target).__mro__:
        if (kind, name) in _METHODS:
            return _METHODS[kind, name](target, *arguments)
    raise NotImplementedError(f"{type(target).__name__}.{name}")


def _arguments(node: Node, names: dict[str, Any]) -> list[Any]:
    return [_value(argument, names) for argument in node.named_children[-1].named_children]


def _create(name: str, arguments: list[Any]) -> Any:
    match name:
        case "JProperty":
            return tuple(arguments)
        case "JObject":
            return dict(arguments)
        case _:
            raise NotImplementedError(f"new {name}")


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
