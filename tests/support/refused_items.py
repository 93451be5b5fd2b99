"""Items that are refused: the answers of both creates to one."""

from typing import Any

from tests.support.errors import assert_error
from tests.support.rest import CONVERSATIONS, Rest, items_of, message

NOWHERE = "conv_0"
"""There is no such conversation: bodies are checked before the database is asked."""


def assert_refused(rest: Rest, item: Any, code: str, param: str, text: str) -> None:
    """Fail unless both creates refuse an item that follows three good ones, for this alone."""
    body = {"items": [*[message()] * 3, item]}
    for path in (CONVERSATIONS, items_of(NOWHERE)):
        assert_error(rest.post(path, body), 400, code, param, text)
