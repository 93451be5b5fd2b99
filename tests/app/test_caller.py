"""The second lock: only who bears a token of the gateway's identity is let in."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from conversations.api.caller import CallerCheck, Gateway
from tests.support.issuer import AUDIENCE, PRINCIPAL, Issuer, issuer
from tests.support.rest import CONVERSATIONS, Answer, Rest
from tests.support.servers import serve_both, serve_host


@pytest.fixture
def trusted() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
def locked(trusted: Issuer, tmp_path: Path) -> Iterator[Rest]:
    """The app with its second lock on."""
    with serve_both(tmp_path, **settings(trusted)) as server:
        yield Rest(server.url)


def settings(trusted: Issuer) -> dict[str, str]:
    return {
        "GATEWAY_PRINCIPAL_ID": PRINCIPAL,
        "GATEWAY_ISSUER": trusted.url,
        "GATEWAY_AUDIENCE": AUDIENCE,
    }


def call(rest: Rest, token: str | None, scheme: str = "Bearer") -> Answer:
    headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
    return rest.send("GET", f"{CONVERSATIONS}/conv_missing", headers=headers)


def assert_let_in(answer: Answer) -> None:
    assert answer.status == 404
    assert answer.error["message"] == "Conversation with id 'conv_missing' not found."


def assert_refused(answer: Answer) -> None:
    assert answer.status == 403
    assert answer.error == {
        "message": "Only the gateway may call this service.",
        "type": "invalid_request_error",
        "param": None,
        "code": "forbidden",
    }


def test_the_gateway_is_let_in_and_the_keys_are_fetched_once(locked: Rest, trusted: Issuer) -> None:
    token = trusted.token()

    for _ in range(3):
        assert_let_in(call(locked, token))
    assert_let_in(call(locked, trusted.token(), "bearer"))

    assert trusted.asked == 1


def test_a_token_is_verified_once_until_it_expires(
    trusted: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = 0
    decode = jwt.decode

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal verified
        verified += 1
        return decode(*arguments, **options)

    monkeypatch.setattr(jwt, "decode", counting)
    check = CallerCheck(Gateway(PRINCIPAL, trusted.url, AUDIENCE)).check
    now = int(time.time())
    headers = {"authorization": f"Bearer {trusted.token(exp=now + 3600)}"}

    async def calls() -> None:
        for ahead, times in ((0, 1), (3600, 1), (3600 + 61, 2)):  # a minute is allowed
            monkeypatch.setattr(time, "time", lambda ahead=ahead: now + ahead)
            await check(headers)
            assert verified == times

    asyncio.run(calls())


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"oid": "somebody-else"}, id="another principal"),
        pytest.param({"oid": None}, id="no principal"),
        pytest.param({"aud": "another"}, id="another application"),
        pytest.param({"iss": "https://login.example/other"}, id="another issuer"),
        pytest.param({"exp": int(time.time()) - 120}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"nbf": int(time.time()) + 600}, id="not valid yet"),
    ],
)
def test_a_token_of_the_issuer_that_is_not_the_gateways_is_refused(
    locked: Rest, trusted: Issuer, claims: dict[str, Any]
) -> None:
    assert_refused(call(locked, trusted.token(**claims)))


def test_a_minute_of_difference_between_clocks_is_allowed(locked: Rest, trusted: Issuer) -> None:
    now = int(time.time())

    assert_let_in(call(locked, trusted.token(exp=now - 30)))
    assert_let_in(call(locked, trusted.token(nbf=now + 30)))


def test_what_is_no_token_of_the_issuer_is_refused(locked: Rest, trusted: Issuer) -> None:
    claims = {"iss": trusted.url, "aud": AUDIENCE, "oid": PRINCIPAL, "nbf": 0, "exp": 2**40}
    own_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(claims, own_key, "RS256", headers={"kid": "first"})
    symmetric = jwt.encode(claims, "x" * 64, "HS256", headers={"kid": "first"})
    unsigned = jwt.encode(claims, "", "none", headers={"kid": "first"})

    for token in (None, "", "not.a.token", forged, symmetric, unsigned):
        assert_refused(call(locked, token))
    assert_refused(call(locked, trusted.token(), "Basic"))


def test_url_and_method_come_first_all_else_after(locked: Rest) -> None:
    assert locked.send("GET", "/openai/v1/x").status == 404
    assert locked.send("PUT", CONVERSATIONS).status == 405
    ill_formed = {"x-ms-user-isolation-key": "a,b"}
    assert_refused(locked.send("GET", f"{CONVERSATIONS}/x", headers=ill_formed))
    # What App Service authentication would add proves nothing while that is off.
    assert_refused(
        locked.send("GET", CONVERSATIONS, headers={"x-ms-client-principal-id": PRINCIPAL})
    )


def test_new_keys_are_fetched_for_an_unknown_one_but_not_for_every_one(
    locked: Rest, trusted: Issuer
) -> None:
    assert_let_in(call(locked, trusted.token()))
    trusted.rotate("second")

    # Within a minute of the last time nobody can make the app ask.
    for _ in range(3):
        assert_refused(call(locked, trusted.token()))

    assert trusted.asked == 1


def test_an_issuer_out_of_reach_is_not_a_refusal(trusted: Issuer, locked: Rest) -> None:
    trusted.up = False

    answer = call(locked, trusted.token())

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.error["code"] == "service_unavailable"
    trusted.up = True
    assert_let_in(call(locked, trusted.token()))


def test_a_lock_with_a_part_missing_lets_nobody_in(trusted: Issuer, tmp_path: Path) -> None:
    some = settings(trusted)
    del some["GATEWAY_AUDIENCE"]

    with pytest.raises(RuntimeError, match=r"Cannot start: .*GATEWAY_AUDIENCE belong together"):
        serve_both(tmp_path, **some).__enter__()
    with serve_host("http://127.0.0.1:1", **some) as server:
        answer = call(Rest(server.url), trusted.token())

        assert answer.status == 500
        assert answer.error["code"] == "internal_error"
        assert "GATEWAY_AUDIENCE belong together" in server.log()
