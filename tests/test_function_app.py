"""What Azure Functions finds when it loads the app."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.rest import CONVERSATIONS, JSON, Rest
from tests.servers import ROOT, environment, serve_cosmos, serve_host

INDEX = """
import json, sys
import function_app
functions = [
    {
        "name": function.get_function_name(),
        "route": function.get_trigger().get_dict_repr()["route"],
        "methods": [m.value for m in function.get_trigger().get_dict_repr().get("methods", ())],
        "auth": function.get_trigger().get_dict_repr()["authLevel"].value,
    }
    for function in function_app.app.get_functions()
]
print(json.dumps({"functions": functions, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def indexed() -> Any:
    """The functions of a freshly loaded app, and what the loading imported."""
    result = subprocess.run(
        [sys.executable, "-c", INDEX],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(result.stdout)


def test_there_is_one_function_per_operation(indexed: Any) -> None:
    item = "openai/v1/conversations/{conversation_id}"
    assert {
        (function["name"], function["route"], *function["methods"])
        for function in indexed["functions"]
    } == {
        ("create_conversation", "openai/v1/conversations", "POST"),
        ("retrieve_conversation", item, "GET"),
        ("update_conversation", item, "POST"),
        ("delete_conversation", item, "DELETE"),
        ("zz_unknown_url", "{*path}"),
    }
    assert {function["auth"] for function in indexed["functions"]} == {"anonymous"}


def test_the_catch_all_sorts_last(indexed: Any) -> None:
    names = sorted(function["name"] for function in indexed["functions"])

    assert names[-1] == "zz_unknown_url"


def test_loading_needs_no_setting_and_imports_no_client_library(indexed: Any) -> None:
    """The app indexes without settings, and what only a first request needs is not yet there."""
    heavy = {"azure.identity", "openai", "aiohttp.web", "msal", "cryptography", "local"}

    assert heavy.isdisjoint(indexed["modules"])


def test_the_key_can_be_required(tmp_path_factory: pytest.TempPathFactory) -> None:
    header = "x-ms-user-isolation-key"
    with (
        serve_cosmos(tmp_path_factory.mktemp("cosmos")) as cosmos,
        serve_host(cosmos.url, REQUIRE_USER_ISOLATION_KEY="true") as host,
    ):
        nobody, alice = Rest(host.url), Rest(host.url, "alice")

        for answer in (
            nobody.send("POST", CONVERSATIONS, b"{}", JSON),
            nobody.retrieve("not-an-id"),
            nobody.update("conv_1", b"{"),
            nobody.delete("conv_1"),
        ):
            assert answer.status == 400
            assert answer.error == {
                "message": f"Missing required parameter: '{header}'.",
                "type": "invalid_request_error",
                "param": header,
                "code": "missing_required_parameter",
            }
        assert nobody.send("GET", "/nowhere").status == 404
        assert alice.retrieve(alice.create()["id"]).status == 200


def test_the_sample_settings_are_enough(tmp_path_factory: pytest.TempPathFactory) -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    with serve_cosmos(tmp_path_factory.mktemp("cosmos")) as cosmos:
        settings = {name: value for name, value in sample.items() if name not in os.environ}
        with serve_host(cosmos.url, **{**settings, "COSMOS_ENDPOINT": cosmos.url}) as host:
            conversation = Rest(host.url).create({"a": "1"})

            assert Rest(host.url).retrieve(conversation["id"]).json() == conversation
