"""`python -m local`, as a user runs it: start, stop, start again, and what it says if it cannot."""

import json
import shlex
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import project
from tests.support.rest import JSON, Rest
from tests.support.servers import run, serve, serve_both, serve_cosmos, serve_host
from tests.support.waiting import wait_until

# Another app than ours: tells its environment, and has timers.
ANOTHER_APP = """
import json
import os

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("environment")
async def environment(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(os.environ)))


@app.timer_trigger(arg_name="timer", schedule="0 0 0 29 2 *")
async def leap_day(timer: func.TimerRequest) -> None:
    raise ValueError("not today")


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def off(timer: func.TimerRequest) -> None:
    pass
"""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def another(tmp_path: Path) -> Path:
    return project(tmp_path / "project", ANOTHER_APP)


def test_it_prints_a_curl_command_that_works_as_pasted(tmp_path: Path) -> None:
    with serve_both(tmp_path) as server:
        (command,) = [line for line in server.log().splitlines() if line.startswith("  curl ")]

        result = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=True
        )

        assert shlex.split(command)[0] == "curl"
        assert '"metadata":{"topic":"demo"}' in result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_and_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with serve_both(tmp_path) as server:
        conversation = Rest(server.url).create({"a": "1"})
        assert server.stop(number) == 0
        assert "Traceback" not in server.log()
        assert "Unclosed" not in server.log()

    with serve_both(tmp_path) as server:
        answer = Rest(server.url).retrieve(conversation["id"])

    assert answer.status == 200
    assert answer.json() == conversation


def test_an_acknowledged_write_survives_a_sigkill(tmp_path: Path) -> None:
    with serve_both(tmp_path) as server:
        conversation = Rest(server.url).create({"a": "1"})
        server.stop(signal.SIGKILL)

    with serve_both(tmp_path) as server:
        assert Rest(server.url).retrieve(conversation["id"]).json() == conversation


def test_host_and_stand_in_run_apart(tmp_path: Path) -> None:
    with serve_cosmos(tmp_path) as cosmos, serve_host(cosmos.url) as host:
        conversation = Rest(host.url).create({"a": "1"})

        assert Rest(host.url).retrieve(conversation["id"]).json() == conversation
        assert cosmos.stop() == 0
        assert host.stop() == 0


def test_database_container_and_key_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = {"COSMOS_DATABASE": "d", "COSMOS_CONTAINER": "c c", "COSMOS_KEY": "c2VjcmV0"}
    with serve_cosmos(tmp_path, **settings) as cosmos:
        with serve_host(cosmos.url, **settings) as host:
            conversation = Rest(host.url).create({"a": "1"})
            assert Rest(host.url).retrieve(conversation["id"]).json() == conversation

        for wrong in ({**settings, "COSMOS_CONTAINER": "x"}, {**settings, "COSMOS_KEY": "AAAA"}):
            with serve_host(cosmos.url, **wrong) as host:
                answer = Rest(host.url).retrieve(conversation["id"])
                assert answer.status == 500
                assert answer.error["code"] == "internal_error"
                assert "COSMOS_" in host.log()


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path, taken_port: int) -> None:
    flags = ["--port", "--cosmos-port", "--dashboard-port"]
    for flag in flags:
        ports = {**dict.fromkeys(flags, 0), flag: taken_port}
        variable = flag.removeprefix("--").replace("-", "_").upper()
        arguments = [f"{name}={port}" for name, port in ports.items()]

        result = run(*arguments, f"--data={tmp_path / 'data'}")

        assert result.returncode == 1
        assert f"port {taken_port} is taken" in result.stderr
        assert f"{flag} (make run {variable}=...)" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("this is a text file, and long enough to be seen as one" * 20)

    result = run("cosmos", "--port=0", f"--data={data}")

    assert result.returncode == 1
    assert f"{data} cannot be used" in result.stderr
    assert "--data" in result.stderr


def test_a_bad_setting_of_the_stand_in_is_named(tmp_path: Path) -> None:
    result = run(
        "cosmos", "--port=0", f"--data={tmp_path / 'd'}", settings={"COSMOS_KEY": "not base64!"}
    )

    assert result.returncode == 1
    assert "COSMOS_KEY" in result.stderr
    assert "not base64!" not in result.stderr


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_named(port: int, tmp_path: Path) -> None:
    result = run("cosmos", f"--port={port}", f"--data={tmp_path / 'data'}")

    assert result.returncode == 1
    assert f"port {port} cannot be used" in result.stderr
    assert "Choose another with --port" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_data_may_be_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    data = tmp_path / "new" / "nested" / "data.sqlite3"

    with serve("cosmos", "--port=0", f"--data={data}") as server:
        assert f"data in {data}" in server.log()
        assert server.stop() == 0

    assert data.is_file()


def test_options_may_stand_before_the_part(tmp_path: Path) -> None:
    data = tmp_path / "before.sqlite3"

    with serve("--cosmos-port=0", f"--data={data}", "cosmos") as server:
        assert f"data in {data}" in server.log()
        assert not server.url.endswith(":8081")


@pytest.mark.parametrize(
    ("arguments", "options", "absent"),
    [
        ([], ["host | cosmos", "--port", "--cosmos-port", "--dashboard-port", "--data"], []),
        (["host"], ["--port", "7071"], ["--data", "--cosmos-port", "8081", "7072"]),
        (["cosmos"], ["--port", "8081", "--data", ".local/cosmos.sqlite3"], ["7071"]),
    ],
)
def test_help_names_every_option_and_no_other(
    arguments: list[str], options: list[str], absent: list[str]
) -> None:
    result = run(*arguments, "--help")

    assert result.returncode == 0
    assert result.stdout.startswith(" ".join(["usage: python -m local", *arguments]))
    assert all(option in result.stdout for option in options)
    assert not any(option in result.stdout for option in absent)


def test_any_function_app_is_served_with_its_timers(another: Path) -> None:
    settings = {"Values": {"AzureWebJobs.off.Disabled": True}}
    (another / "local.settings.json").write_text(json.dumps(settings))

    with serve("host", "--port=0", folder=another) as host:
        before_ready, _ = host.log().split("Ready on")
        assert "Timer leap_day: runs next at 20" in before_ready
        assert "Timer off: disabled by AzureWebJobs.off.Disabled" in before_ready

        url = "/admin/functions/leap_day"
        assert Rest(host.url).send("POST", url, b'{"input": ""}', JSON).status == 202
        wait_until(lambda: "Executed 'Functions.leap_day' (Failed" in host.log())
        assert "ValueError: not today" in host.log()

        assert Rest(host.url).send("GET", "/environment").status == 200
        assert host.stop() == 0
        assert "Functions.off" not in host.log()


def test_local_settings_are_read_as_core_tools_read_them(another: Path) -> None:
    values = {
        "TEXT": "text",
        "NUMBER": 5,
        "YES": True,
        "EMPTY": "",
        "NOTHING": None,
        "TAKEN": "from the file",
        "BLANK": "from the file",
    }
    content = json.dumps({"IsEncrypted": False, "Values": values})
    (another / "local.settings.json").write_text(content, encoding="utf-8-sig")

    with serve("host", "--port=0", folder=another, settings={"TAKEN": "set", "BLANK": ""}) as host:
        seen = Rest(host.url).send("GET", "/environment").json()

    assert {name: seen.get(name) for name in values} == {
        "TEXT": "text",
        "NUMBER": "5",
        "YES": "true",
        "EMPTY": "",
        "NOTHING": None,
        "TAKEN": "set",
        "BLANK": "from the file",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", 'local.settings.json is no JSON object with "Values"'),
        ([], 'local.settings.json is no JSON object with "Values"'),
        ({}, 'local.settings.json is no JSON object with "Values"'),
        ({"Values": "secret"}, 'local.settings.json is no JSON object with "Values"'),
        ({"Values": {"A": ["secret"]}}, "local.settings.json: the value of A must be a string"),
        ({"IsEncrypted": True, "Values": {"A": "secret"}}, "local.settings.json is encrypted"),
    ],
)
def test_local_settings_that_cannot_be_read_are_named(
    another: Path, content: Any, message: str
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (another / "local.settings.json").write_text(text)

    result = run("host", "--port=0", folder=another)

    assert result.returncode == 1
    assert f"Cannot start: {message}" in result.stderr
    assert "secret" not in result.stderr
    assert "Traceback" not in result.stderr


def test_an_app_that_cannot_be_served_is_named(another: Path) -> None:
    app = (another / "function_app.py").read_text().replace("0 0 0 29 2 *", "%SCHEDULE%")
    (another / "function_app.py").write_text(app)

    result = run("host", "--port=0", folder=another)

    assert result.returncode == 1
    assert "Cannot start: leap_day: this host cannot keep the schedule" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_an_endpoint_the_host_starts_and_says_what_is_missing() -> None:
    with serve("host", "--port=0") as host:
        answer = Rest(host.url).retrieve("conv_1")

        assert answer.status == 500
        assert answer.error["code"] == "internal_error"
        assert answer.headers["x-request-id"] in answer.error["message"]
        assert "COSMOS_ENDPOINT" not in answer.body.decode()
        assert "COSMOS_ENDPOINT: Field required" in host.log()


def test_the_data_is_an_ordinary_sqlite_file(tmp_path: Path) -> None:
    with serve_both(tmp_path) as server:
        conversation = Rest(server.url, "alice").create({"a": "1"})
        server.stop()

    with sqlite3.connect(tmp_path / "data.sqlite3") as database:
        rows = database.execute("SELECT container, partition_key, id FROM documents").fetchall()
    database.close()

    assert rows == [("dbs/conversations/colls/conversations", '["alice"]', conversation["id"])]


def test_retention_days_is_the_stand_ins_default_time_to_live(tmp_path: Path) -> None:
    with serve_both(tmp_path, RETENTION_DAYS="0") as server:
        kept = Rest(server.url).create()["id"]
    three_days = 3 * 86_400
    with closing(sqlite3.connect(tmp_path / "data.sqlite3", isolation_level=None)) as database:
        database.execute("UPDATE documents SET written = written - ?", [three_days])

    with serve_both(tmp_path, RETENTION_DAYS="4") as server:
        assert Rest(server.url).retrieve(kept).status == 200
    with serve_both(tmp_path, RETENTION_DAYS="2") as server:
        assert Rest(server.url).retrieve(kept).status == 404


def test_a_retention_that_is_no_number_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="Cannot start: RETENTION_DAYS is no number of days"),
        serve_cosmos(tmp_path, RETENTION_DAYS="a week"),
    ):
        pass
