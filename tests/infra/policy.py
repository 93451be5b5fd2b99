"""Runs the gateway's policies as they stand in infra/policies, as far as they use what is here.

Forwarding, token validation and rate limiting themselves are the gateway's; what reaches them and
what is decided around them is run here.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from tests.infra import INFRA
from tests.infra.csharp import Headers, Jwt, Lists, evaluate

POLICIES = INFRA / "policies"
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
                Headers=Headers({name.lower(): found for name, found in self.headers.items()}),
                Method="POST",
                OriginalUrl=SimpleNamespace(Path="/openai/v1/x"),
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
                assert element.attrib["exists-action"] == "override"
                name = element.attrib["name"].lower()
                self.forwarded[name] = [self.value(_one(element, "value").text)]
                self.done.append(element)
            case "validate-azure-ad-token":
                token = Jwt(Claims=Lists(self.claims))
                self.variables[element.attrib["output-token-variable-name"]] = token
                self.done.append(element)
            case "rate-limit-by-key" | "set-backend-service" | "authentication-managed-identity":
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
        status = int(_one(element, "set-status").attrib["code"])
        return Response(status, headers, str(self.value(_one(element, "set-body").text)))


def _one(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = parent.find(tag)
    if found is None:
        raise LookupError(f"<{parent.tag}> has no <{tag}>")
    return found
