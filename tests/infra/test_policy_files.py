"""The policy files: well-formed, and in the C# that the gateway knows."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.infra.policy import POLICIES

FILES = sorted(POLICIES.rglob("*.xml"))

# Of those at https://learn.microsoft.com/azure/api-management/api-management-policy-expressions.
ALLOWED_TYPES = {
    "Convert", "Encoding", "HMACSHA256", "JObject", "JProperty", "Jwt", "Regex", "bool", "byte",
    "int", "long", "string",
}  # fmt: skip
TYPES = re.compile(
    r"new [\w.]*?(\w+)\("  # created
    r"|<(\w+)[\[\]]*>\("  # given to a generic method
    r"|\((\w+)\)(?=[\w(])"  # cast to
    r"|(?<![\w.])([A-Z]\w*|long)\."  # asked for a static member
)

by_name = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(POLICIES)))


def types(expression: str) -> set[str]:
    """Name the types that an expression uses."""
    code = re.sub(r'"[^"]*"', '""', expression).replace("System.Security.Cryptography.", "")
    return {name for found in TYPES.findall(code) for name in found if name}


@by_name
def test_every_policy_is_well_formed_xml(file: Path) -> None:
    root = ElementTree.parse(file).getroot()
    assert root.tag == ("fragment" if file.parent.name == "fragments" else "policies")


@by_name
def test_no_expression_uses_a_type_that_the_gateway_does_not_know(file: Path) -> None:
    for element in ElementTree.parse(file).iter():
        for written in (element.text or "", *element.attrib.values()):
            if written.strip().startswith("@"):
                assert types(written) <= ALLOWED_TYPES


def test_a_foreign_type_would_be_seen() -> None:
    found = types('@((object)context.Variables["(int)"] ?? File.Open(new Uri("x").As<char>()))')
    assert found == {"object", "File", "Uri", "char"}
