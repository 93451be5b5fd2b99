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
functions, timers = [], []
for function in function_app.app.get_functions():
    trigger = function.get_trigger().get_dict_repr()
    if trigger["type"] == "timerTrigger":
        timers.append([function.get_function_name(), trigger["schedule"], trigger["useMonitor"]])
        continue
    functions.append({
        "name": function.get_function_name(),
        "route": trigger["route"],
        "methods": [m.value for m in trigger.get("methods", ())],
        "auth": trigger["authLevel"].value,
    })
modules = sorted(sys.modules)
print(json.dumps({"functions": functions, "timers": timers, "modules": modules}))
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
    conversations = "openai/v1/conversations"
    conversation = f"{conversations}/{{conversation_id}}"
    items = f"{conversation}/items"
    item = f"{items}/{{item_id}}"
    assert {
        (function["name"], function["route"], *function["methods"])
        for function in indexed["functions"]
    } == {
        ("list_conversations", conversations, "GET"),
        ("create_conversation", conversations, "POST"),
        ("retrieve_conversation", conversation, "GET"),
        ("update_conversation", conversation, "POST"),
        ("delete_conversation", conversation, "DELETE"),
        ("list_items", items, "GET"),
        ("create_items", items, "POST"),
        ("retrieve_item", item, "GET"),
        ("delete_item", item, "DELETE"),
        ("zz_unknown_url", "{*path}"),
    }
    assert {function["auth"] for function in indexed["functions"]} == {"anonymous"}


@pytest.mark.parametrize(
    ("storage", "monitored"),
    [
        pytest.param({}, False, id="no storage"),
        pytest.param({"AzureWebJobsStorage__accountName": "x"}, True, id="storage"),
    ],
)
def test_the_sweep_keeps_its_schedule_where_there_is_storage(
    storage: dict[str, str], monitored: bool
) -> None:
    """With a schedule to keep and nowhere to keep it, the host would never run it."""
    timers = run_python(INDEX, **storage)["timers"]

    assert timers == [["sweep_deleted_conversations", "0 */15 * * * *", monitored]]


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
