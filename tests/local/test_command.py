"""`python -m local`, as a user runs it: start, stop, start again, and what it says if it cannot."""

import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.rest import Rest
from tests.support.servers import environment, serve, serve_both, serve_cosmos, serve_host


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it where it should end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


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
    for flag, variable in (("--port", "PORT"), ("--cosmos-port", "COSMOS_PORT")):
        ports = {"--port": 0, "--cosmos-port": 0, flag: taken_port}
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
    result = run("cosmos", "--port=0", f"--data={tmp_path / 'd'}", COSMOS_KEY="not base64!")

    assert result.returncode == 1
    assert "COSMOS_KEY" in result.stderr
    assert "not base64!" not in result.stderr


def test_help_names_every_option() -> None:
    result = run("--help")

    assert result.returncode == 0
    for option in ("host", "cosmos", "--port", "--cosmos-port", "--data"):
        assert option in result.stdout


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
