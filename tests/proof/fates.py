"""What can happen to a request between the app and its database."""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multidict import CIMultiDict

from tests.proof.network import Received, Sent


class Done(Enum):
    """Whether a request is carried out."""

    NOW = "now"
    NEVER = "never"
    LATER = "later"


@dataclass(frozen=True)
class Fate:
    """What becomes of a request (`done`), and of its answer."""

    done: Done = Done.NOW
    answer: Any = "whole"

    def __repr__(self) -> str:
        return f"{self.done.value}: {self.answer}"

    @property
    def is_of_reads(self) -> bool:
        """Whether it is too much to ask of a write, that the app should find it out."""
        return self.answer in _DOCUMENTS

    @property
    def leaves_open(self) -> bool:
        """Whether the app cannot know what became of the request."""
        return self.answer != "whole" and self.answer not in _REFUSALS


@dataclass(frozen=True)
class Says:
    """An answer that the database did not mean so, of the request as a whole."""

    status: int
    sub_status: int = 0
    wait_ms: int | None = None

    def of(self, _: Sent) -> Received:
        """The answer."""
        headers = {"x-ms-substatus": str(self.sub_status)}
        if self.wait_ms is not None:
            headers["x-ms-retry-after-ms"] = str(self.wait_ms)
        return Received(self.status, CIMultiDict(headers), b'{"code": "made up"}')


@dataclass(frozen=True)
class Fails:
    """An answer to a batch in which one operation, the last, failed of itself."""

    status: int

    def of(self, sent: Sent) -> Received:
        """The answer; of what is no batch, its status."""
        if not sent.is_batch:
            return Says(self.status).of(sent)
        *others, _ = sent.operations
        results = [{"statusCode": 424, "requestCharge": 0} for _ in others]
        content = json.dumps([*results, {"statusCode": self.status, "requestCharge": 1}])
        return Received(207, CIMultiDict(), content.encode())


@dataclass(frozen=True)
class Rubbish:
    """An answer that means nothing."""

    what: str

    def of(self, sent: Sent) -> Received:
        """The answer."""
        operations = sent.operations
        another = {"id": "conv_another", "type": "another"}
        content: Any = {
            "nothing": None,
            "no JSON": None,
            "another document": another,
            "an empty array": [],
            "too many": [{"statusCode": 200, "resourceBody": {}}] * (len(operations) + 1),
            "failed without a reason": [{"statusCode": 424}] * len(operations),
            "no statuses": [{}] * len(operations),
            "other documents": [{"statusCode": 200, "resourceBody": another} for _ in operations],
            "no documents": [{"statusCode": 200} for _ in operations],
        }[self.what]
        data = {"nothing": b"", "no JSON": b"<html>"}.get(self.what, json.dumps(content).encode())
        return Received(207 if "failed" in self.what else 200, CIMultiDict(), data)


_UNREADABLE = [
    Rubbish(what)
    for what in (
        "nothing",
        "no JSON",
        "another document",
        "an empty array",
        "too many",
        "failed without a reason",
        "no statuses",
    )
]
# Of a read. A database that claims success for a write that it did not do cannot be found out.
_DOCUMENTS = [Rubbish("other documents"), Rubbish("no documents")]
_AMBIGUOUS: list[Any] = [
    *("reset", "silence") * 3,
    *(Says(status) for status in (408, 410, 500, 502, 503, 504)),
    *(Fails(status) for status in (408, 503)),
    *_UNREADABLE,
]
_REFUSED_AT_ONCE: list[Any] = [  # nothing that is worth a wait
    *(Says(403, 3), Says(403, 1014), Says(404, 1002), Says(404, 1003), Says(429, wait_ms=60_000)),
]
_REFUSALS: list[Any] = [
    *(Says(status) for status in (400, 401, 403, 413, 449)),
    *(Says(429, wait_ms=50), Says(429, wait_ms=900), Fails(429), Fails(449)),
    *_REFUSED_AT_ONCE * 2,
    "refused",
]

WHOLE = Fate()
SLOW = (Fate(answer="slow"),)
OPEN = tuple(Fate(done, answer) for done in (*Done, Done.NOW, Done.LATER) for answer in _AMBIGUOUS)
REFUSED = tuple(Fate(Done.NEVER, refusal) for refusal in _REFUSALS)
REFUSED_AT_ONCE = tuple(Fate(Done.NEVER, refusal) for refusal in _REFUSED_AT_ONCE)
MISREAD = tuple(Fate(answer=documents) for documents in _DOCUMENTS)
