"""What Azure Functions finds when it loads the app."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import emulator_key, environment, serve_cosmos, serve_host

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

# As Azure does it: the app is loaded inside a running loop, then a request comes.
UPDATE = """
import asyncio, json, sys
from types import SimpleNamespace

async def main():
    import azure.functions as func
    import function_app
    functions = function_app.app.get_functions()
    triggers = {each.get_function_name(): each.get_user_function() for each in functions}
    request = func.HttpRequest(
        method="POST", url="http://x/y", headers={"content-type": "application/json"},
        route_params={"conversation_id": "conv_missing"}, body=b'{"metadata": {}}')
    trace = SimpleNamespace(trace_parent="")
    context = SimpleNamespace(invocation_id="1", trace_context=trace)
    response = await triggers["update_conversation"](request, context)
    assert response.status_code == 404, response.get_body()
    print(json.dumps({"modules": sorted(sys.modules)}), flush=True)
    import os; os._exit(0)

asyncio.run(main())
"""


def run_python(program: str, **settings: str) -> Any:
    """What a program prints as JSON, run in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def indexed() -> Any:
    """The functions of a freshly loaded app, and what the loading imported."""
    return run_python(INDEX)


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


def test_what_the_host_waits_for_imports_no_heavy_library(indexed: Any) -> None:
    """Loading needs no settings either: there were none."""
    assert {"pydantic", "azure.cosmos", "azure.core", "aiohttp"}.isdisjoint(indexed["modules"])


def test_a_start_with_a_key_imports_nothing_that_only_others_need(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with serve_cosmos(tmp_path_factory.mktemp("cosmos")) as cosmos:
        settings = {"COSMOS_ENDPOINT": cosmos.url, "COSMOS_KEY": emulator_key()}
        modules = run_python(UPDATE, **settings)["modules"]

    assert {"pydantic", "azure.cosmos.aio", "aiohttp"} <= set(modules)  # it really has started
    others = {"azure.identity", "msal", "cryptography", "openai", "aiohttp.web", "local", "pytest"}
    assert others.isdisjoint(modules)


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
