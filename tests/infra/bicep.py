"""Reads Bicep files for the tests: names and literals, no evaluation."""

from collections.abc import Iterator
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))


def parse(path: Path) -> Node:
    """Parse a file, errors included."""
    return _PARSER.parse(path.read_bytes()).root_node


def text(node: Node) -> str:
    """Return what stands in the file, a string without its quotes."""
    written = (node.text or b"").decode()
    return written.strip("'") if node.type == "string" else written


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def parameters(path: Path) -> list[str]:
    """List the names of a file's parameters."""
    declarations = (node for node in walk(parse(path)) if node.type == "parameter_declaration")
    return [
        next(text(child) for child in node.named_children if child.type == "identifier")
        for node in declarations
    ]


def values(path: Path, key: str) -> list[Node]:
    """List the values of all object properties of that name in a file."""
    return [
        node.named_children[1]
        for node in walk(parse(path))
        if node.type == "object_property" and text(node.named_children[0]) == key
    ]


def variable(path: Path, name: str) -> Node:
    """Find the value of a variable."""
    return next(
        node.named_children[1]
        for node in walk(parse(path))
        if node.type == "variable_declaration" and text(node.named_children[0]) == name
    )


def entries(node: Node) -> dict[str, str]:
    """Map an object's keys to their values as they stand in the file."""
    pairs = (child.named_children for child in node.named_children if child.type != "comment")
    return {text(pair[0]): text(pair[1]) for pair in pairs}


def strings(node: Node) -> list[str]:
    """List the strings of an array."""
    return [text(child) for child in node.named_children if child.type == "string"]
