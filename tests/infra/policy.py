"""Runs the gateway's policies as they stand in infra/policies, as far as they use what is here.

Forwarding, token validation and rate limiting themselves are the gateway's; what reaches them and
what is decided around them is run here.
"""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from tests.infra import INFRA
from tests.infra.csharp import Body, Headers, Jwt, Lists, evaluate

POLICIES = INFRA / "policies"
# What the tests take for the named values; the others stand only where no expression looks at them.
NAMED_VALUES = {"{{hash-salt}}": "pepper"}
REQUEST_ID = UUID("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")


@dataclass
class Response:
    """What the caller gets."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Request:
    """A request on its way through the gateway."""

    claims: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/openai/v1/x"
    body: Body | None = None
    response: SimpleNamespace | None = None
    error: SimpleNamespace | None = None
    variables: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.done: list[ElementTree.Element] = []
        """The policies that ran and were not control flow, in their order."""
        self.context = SimpleNamespace(
            Elapsed=SimpleNamespace(TotalMilliseconds=12.7),
            LastError=self.error,
            Request=SimpleNamespace(
                Body=self.body,
                Headers=Headers({name.lower(): found for name, found in self.headers.items()}),
                IpAddress="192.0.2.7",
                Method=self.method,
                OriginalUrl=SimpleNamespace(Path=self.path),
            ),
            RequestId=REQUEST_ID,
            Response=self.response,
            Variables=self.variables,
        )

    @property
    def forwarded(self) -> Headers:
        """The headers that the app gets."""
        found = self.context.Request.Headers
        assert isinstance(found, Headers)
        return found

    def run(self, file: str, section: str) -> Response | None:
        """Run a section; the response if it ends the request, None if the request goes on."""
        return self._all(_one(ElementTree.parse(POLICIES / file).getroot(), section))

    def value(self, written: str | None) -> Any:
        """Evaluate an attribute or a text if it is an expression."""
        plain = (written or "").strip()
        for name, value in NAMED_VALUES.items():
            plain = plain.replace(name, value)
        return evaluate(plain, self.context) if plain.startswith("@") else plain

    def _all(self, parent: ElementTree.Element) -> Response | None:
        for element in parent:
            response = self._step(element)
            if response is not None:
                return response
        return None

    def _step(self, element: ElementTree.Element) -> Response | None:
        match element.tag:
            case "base":
                pass
            case "choose":
                return self._choose(element)
            case "include-fragment":
                name = f"{element.attrib['fragment-id']}.xml"
                return self._all(ElementTree.parse(POLICIES / "fragments" / name).getroot())
            case "return-response":
                return self._response(element)
            case "set-variable":
                self.variables[element.attrib["name"]] = self.value(element.attrib["value"])
            case "set-header":
                name = element.attrib["name"].lower()
                self.forwarded.pop(name, None)
                if element.attrib["exists-action"] == "override":
                    self.forwarded[name] = [self.value(_one(element, "value").text)]
                else:
                    assert element.attrib["exists-action"] == "delete"
                self.done.append(element)
            case "validate-azure-ad-token":
                token = Jwt(Claims=Lists(self.claims))
                self.variables[element.attrib["output-token-variable-name"]] = token
                self.done.append(element)
            case (
                "rate-limit-by-key"
                | "rewrite-uri"
                | "set-backend-service"
                | "authentication-managed-identity"
            ):
                self.done.append(element)
            case _:
                raise NotImplementedError(element.tag)
        return None

    def _choose(self, element: ElementTree.Element) -> Response | None:
        for branch in element:
            if branch.tag == "otherwise" or self.value(branch.attrib["condition"]) is True:
                return self._all(branch)
        return None

    def _response(self, element: ElementTree.Element) -> Response:
        headers = {
            header.attrib["name"]: str(self.value(_one(header, "value").text))
            for header in element.findall("set-header")
        }
        status = int(self.value(_one(element, "set-status").attrib["code"]))
        body = element.find("set-body")
        return Response(status, headers, "" if body is None else str(self.value(body.text)))


def _one(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = parent.find(tag)
    if found is None:
        raise LookupError(f"<{parent.tag}> has no <{tag}>")
    return found


def an_error(response: Response | None) -> dict[str, object]:
    """Return the error of a response that must look like one of the app's."""
    assert response is not None
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["x-request-id"] == REQUEST_ID.hex
    assert response.headers["openai-processing-ms"] == "12"
    body = json.loads(response.body)
    assert list(body) == ["error"]
    error = body["error"]
    assert isinstance(error, dict)
    assert list(error) == ["message", "type", "param", "code"]
    return error


def limits(request: Request) -> list[tuple[str, str]]:
    """List what was counted, by what, in order."""
    return [
        (element.attrib["calls"], request.value(element.attrib["counter-key"]))
        for element in request.done
        if element.tag == "rate-limit-by-key"
    ]
