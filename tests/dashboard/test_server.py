"""The server under the page: whom it answers, what it passes on, and where the token goes."""

import base64
import json
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest
from tests.support.servers import Server, run, serve


@dataclass
class Api:
    """Some API that answers what it is told to, and remembers what it was asked."""

    url: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"object": "list"}'
    accepted_token: str | None = None
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def tokens(self) -> list[str | None]:
        """The Authorization header of each request."""
        return [headers.get("authorization") for _, _, headers, _ in self.asked]


@pytest.fixture
def api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            fake.asked.append((self.command, self.path, headers, body))
            wanted = fake.accepted_token
            refused = wanted is not None and headers.get("authorization") != f"Bearer {wanted}"
            self.send_response(401 if refused else fake.status)
            for name, value in {"Content-Length": str(len(fake.body)), **fake.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(fake.body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the base class wants these names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = Api(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def dashboard(api: str, *arguments: str) -> Iterator[Server]:
    with serve("--port=0", f"--api={api}", *arguments, module="dashboard") as server:
        yield server


def prints(folder: Path, *tokens: str) -> str:
    """A command that prints the next of `tokens` each time, and the last one from then on."""
    script = folder / "token.py"
    script.write_text(
        "import pathlib, sys\n"
        "count = pathlib.Path(sys.argv[0] + '.count')\n"
        "number = int(count.read_text()) if count.exists() else 0\n"
        "count.write_text(str(number + 1))\n"
        "print(sys.argv[1:][min(number, len(sys.argv) - 2)])\n"
    )
    return shlex.join([sys.executable, str(script), *tokens])


def runs(folder: Path) -> int:
    """How often that command has run."""
    return int((folder / "token.py.count").read_text())


def jwt(expires_at: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires_at}).encode()).rstrip(b"=")
    return f"e30.{claims.decode()}.c2ln"


def test_every_answer_bears_a_strict_policy(api: Api) -> None:
    paths = ["/", "/conversations/conv_1", "/static/main.js", "/config.json", CONVERSATIONS]
    with dashboard(api.url) as server:
        answers = [Rest(server.url).send("GET", path) for path in paths]

    assert [answer.status for answer in answers] == [200] * len(paths)
    for answer in answers:
        assert_strict(answer)


def assert_strict(answer: Answer) -> None:
    policy = dict(
        rule.strip().split(" ", 1) for rule in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


def test_only_the_page_itself_gets_through(api: Api) -> None:
    with dashboard(api.url) as server:
        host = server.url.removeprefix("http://")
        port = host.rpartition(":")[2]

        def status(method: str = "GET", path: str = CONVERSATIONS, **headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return Rest(server.url).send(method, path, None, named).status

        for path in (CONVERSATIONS, "/", "/config.json"):
            assert status(path=path, Host=f"evil.example:{port}") == 403
        assert status(Host="127.0.0.1.evil.example") == 403
        assert status(Host="[broken") == 403
        for method in ("GET", "POST", "DELETE"):
            assert status(method, Origin="http://evil.example") == 403
            assert status(method, Origin="http://127.0.0.1:1") == 403
            assert status(method, Origin="null") == 403
            assert status(method, Sec_Fetch_Site="cross-site") == 403
            assert status(method, Sec_Fetch_Site="same-site") == 403
        assert api.asked == []

        assert status(Origin=server.url, Sec_Fetch_Site="same-origin") == 200
        local = f"localhost:{port}"
        assert status(Host=local, Origin=f"http://{local}") == 200
        assert len(api.asked) == 2


def test_other_machines_find_nobody(api: Api) -> None:
    with dashboard(api.url) as server, socket.socket() as other:
        other.settimeout(2)
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match=r".+"):
            other.connect(("127.0.0.2", port))


def test_a_request_is_passed_on_as_it_is_and_its_answer_comes_back(api: Api) -> None:
    api.status = 412
    api.headers = {"ETag": '"abc"', "Retry-After": "7", "Set-Cookie": "a=b", "X-Other": "c"}
    path = f"{CONVERSATIONS}/conv_1?metadata%5Ba+b%5D=c%2Fd&limit=1"
    sent = {
        **JSON,
        "If-Match": '"abc"',
        "x-ms-user-isolation-key": "alice",
        "Authorization": "Bearer from-the-page",
        "Cookie": "secret=1",
    }
    with dashboard(api.url) as server:
        answer = Rest(server.url).send("POST", path, '{"a": "🧪"}'.encode(), sent)

    ((method, asked, headers, body),) = api.asked
    assert (method, asked, body) == ("POST", path, '{"a": "🧪"}'.encode())
    assert headers["if-match"] == '"abc"'
    assert headers["x-ms-user-isolation-key"] == "alice"
    assert not {"authorization", "cookie"} & set(headers)
    assert (answer.status, answer.body) == (412, api.body)
    assert answer.headers["etag"] == '"abc"'
    assert answer.headers["retry-after"] == "7"
    assert not {"set-cookie", "x-other"} & set(answer.headers)


def test_what_is_no_business_of_the_page_is_not_passed_on(api: Api) -> None:
    refused = [
        ("GET", "/openai/../admin", 404),
        ("GET", "/openai/%2e%2e/admin", 404),
        ("GET", "/openai/a%5c..%5cadmin", 404),
        ("GET", "/admin/functions/sweep", 404),
        ("GET", "/static/../server.py", 404),
        ("GET", "/static/%2e%2e/server.py", 404),
        ("PUT", CONVERSATIONS, 405),
        ("OPTIONS", CONVERSATIONS, 405),
        ("POST", "/", 405),
    ]
    with dashboard(api.url) as server:
        for method, path, status in refused:
            answer = Rest(server.url).send(method, path)

            assert (path, answer.status) == (path, status)
            assert answer.error["type"] == "dashboard_error"
    assert api.asked == []


def test_the_token_goes_to_the_api_and_nowhere_else(api: Api, tmp_path: Path) -> None:
    secret = "s3cr3t-token"
    with dashboard(api.url, f"--token-command={prints(tmp_path, secret)}") as server:
        rest = Rest(server.url)
        answers = [rest.send("GET", CONVERSATIONS) for _ in range(3)]
        answers += [rest.send("GET", path) for path in ("/", "/config.json", "/static/api.js")]
        log = server.log()

    assert api.tokens == [f"Bearer {secret}"] * 3
    assert runs(tmp_path) == 1
    for answer in answers:
        assert answer.status == 200
        assert secret.encode() not in answer.body
        assert secret not in str(answer.headers)
    assert secret not in log


def test_a_token_that_expires_soon_is_replaced_before(api: Api, tmp_path: Path) -> None:
    old, new = jwt(time.time() + 60), jwt(time.time() + 3600)
    with dashboard(api.url, f"--token-command={prints(tmp_path, old, new)}") as server:
        for _ in range(3):
            assert Rest(server.url).send("GET", CONVERSATIONS).status == 200

    assert api.tokens == [f"Bearer {old}", f"Bearer {new}", f"Bearer {new}"]
    assert runs(tmp_path) == 2


def test_what_the_azure_cli_prints_as_json_is_read(api: Api, tmp_path: Path) -> None:
    soon, later = (
        json.dumps({"accessToken": name, "expires_on": int(time.time()) + seconds})
        for name, seconds in (("one", 60), ("two", 3600))
    )
    with dashboard(api.url, f"--token-command={prints(tmp_path, soon, later)}") as server:
        for _ in range(3):
            assert Rest(server.url).send("GET", CONVERSATIONS).status == 200

    assert api.tokens == ["Bearer one", "Bearer two", "Bearer two"]


def test_a_token_that_the_api_refuses_is_replaced_once(api: Api, tmp_path: Path) -> None:
    api.accepted_token = "new"
    with dashboard(api.url, f"--token-command={prints(tmp_path, 'old', 'new', 'x')}") as server:
        assert Rest(server.url).send("POST", CONVERSATIONS, b"{}", JSON).status == 200
        api.accepted_token = "nothing that it prints"
        assert Rest(server.url).send("GET", CONVERSATIONS).status == 401

    assert api.tokens == ["Bearer old", "Bearer new", "Bearer new", "Bearer x"]
    assert [body for _, _, _, body in api.asked[:2]] == [b"{}", b"{}"]


def test_the_token_command_runs_without_a_shell(api: Api, tmp_path: Path) -> None:
    command = f"{prints(tmp_path, 'token')} ; touch {tmp_path / 'owned'} $(touch {tmp_path / 'x'})"
    with dashboard(api.url, f"--token-command={command}") as server:
        assert Rest(server.url).send("GET", CONVERSATIONS).status == 200

    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('leaked secret'); sys.exit(3)", "ended with exit code 3"),
        ("print('two words')", "no token"),
        ("pass", "no token"),
        ("print('{\"error\": 1}')", "no token"),
    ],
)
def test_a_token_command_that_fails_is_said_without_what_it_printed(
    api: Api, code: str, message: str
) -> None:
    command = shlex.join([sys.executable, "-c", f"import sys; {code}"])
    with dashboard(api.url, f"--token-command={command}") as server:
        answer = Rest(server.url).send("GET", CONVERSATIONS)
        log = server.log()

    assert answer.status == 502
    assert answer.error["code"] == "token_command_failed"
    assert message in answer.error["message"]
    for secret in ("leaked", "two words", "error"):
        assert secret not in answer.error["message"]
        assert secret not in log
    assert api.asked == []


def test_a_redirect_is_not_followed(api: Api, tmp_path: Path) -> None:
    api.status, api.headers = 302, {"Location": f"{api.url}/elsewhere"}
    with dashboard(api.url, f"--token-command={prints(tmp_path, 'token')}") as server:
        answer = Rest(server.url).send("GET", CONVERSATIONS)

    assert answer.status == 502
    assert answer.error["code"] == "api_redirects"
    assert [path for _, path, _, _ in api.asked] == [CONVERSATIONS]


def test_an_api_that_is_not_there_is_said() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # never listens
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        with dashboard(url) as server:
            answer = Rest(server.url).send("GET", CONVERSATIONS)
            assert "Traceback" not in server.log()

    assert answer.status == 502
    assert answer.error["code"] == "api_unreachable"
    assert url in answer.error["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--api=http://api.example.com"], "http is for an API on this machine only"),
        (["--api=ftp://api.example.com"], "is no address of an API"),
        (["--api="], "is no address of an API"),
        (["--api=https://user:secret@api.example.com"], "has a user, a query or a fragment"),
        (["--token-command=no-such-program-1 x"], "'no-such-program-1' is not found"),
        (["--token-command='"], "the token command cannot be read"),
        (["--port=65536"], "port"),
    ],
)
def test_a_start_that_cannot_be_is_said_in_one_line(arguments: list[str], message: str) -> None:
    result = run("--port=0", *arguments, module="dashboard")

    assert result.returncode == 1
    assert result.stderr.startswith("Cannot start: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        result = run(f"--port={port}", module="dashboard")

    assert result.returncode == 1
    assert f"port {port} is taken. Choose another with --port" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_tells_every_option() -> None:
    result = run("--help", module="dashboard")

    assert result.returncode == 0
    for text in ("--api", "--token-command", "--port", "http://127.0.0.1:7071", "7072"):
        assert text in result.stdout
