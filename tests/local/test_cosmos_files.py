"""The stand-in's file: where it is made, and what is said of one that it does not know."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from local.cosmos.storage import FORMAT
from tests.support.cosmos_rest import create, read
from tests.support.rest import Rest
from tests.support.servers import run, serve


def test_folders_that_are_not_there_are_made(tmp_path: Path) -> None:
    data = tmp_path / "new" / "nested" / "data.sqlite3"

    with serve("cosmos", "--port=0", f"--data={data}") as server:
        document = create(Rest(server.url))
        server.stop()
    with serve("cosmos", "--port=0", f"--data={data}") as server:
        assert read(Rest(server.url), document["id"]).json() == document


@pytest.mark.parametrize("found", [0, 1, FORMAT + 1])
def test_a_file_of_another_version_is_left_alone(tmp_path: Path, found: int) -> None:
    data = tmp_path / "data.sqlite3"
    with closing(sqlite3.connect(data)) as database:
        database.execute("CREATE TABLE documents (container TEXT, body TEXT)")
        database.execute("INSERT INTO documents VALUES ('c', '{}')")
        database.execute(f"PRAGMA user_version = {found}")
        database.commit()
    before = data.read_bytes()

    result = run("cosmos", "--port=0", f"--data={data}")

    assert result.returncode == 1
    assert result.stderr.startswith(f"Cannot start: {data} was written by another version")
    assert f"Remove {data}" in result.stderr
    assert "Traceback" not in result.stderr
    assert data.read_bytes() == before
    data.unlink()
    with serve("cosmos", "--port=0", f"--data={data}") as server:
        assert read(Rest(server.url), "x").status == 404


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = run("cosmos", "--port=0", f"--data={tmp_path / 'file' / 'data.sqlite3'}")

    assert result.returncode == 1
    assert f"{tmp_path / 'file' / 'data.sqlite3'} cannot be used" in result.stderr


def test_the_session_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Deletes count too, so a token of before never asks for what is still to come."""

    def tokens(url: str) -> list[int]:
        cosmos = Rest(url)
        create(cosmos)
        answer = read(cosmos, "missing")
        return [int(answer.headers["x-ms-session-token"].removeprefix("0:-1#"))]

    found = []
    for _ in range(3):
        with serve("cosmos", "--port=0", f"--data={tmp_path / 'data'}") as server:
            found += tokens(server.url)
            server.stop()

    assert found == [1, 2, 3]
