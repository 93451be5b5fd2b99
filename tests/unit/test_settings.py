"""The environment variables: which are read, which are refused, and how it is said."""

import pytest

from conversations.settings import Settings, SettingsError

REQUIRED = {"COSMOS_ENDPOINT": "http://127.0.0.1:8081", "COSMOS_KEY": "c2VjcmV0"}


def test_the_defaults_are_the_documented_ones() -> None:
    settings = Settings.from_environment(REQUIRED)

    assert settings.cosmos_database == "conversations"
    assert settings.cosmos_container == "conversations"
    assert settings.cosmos_timeout_seconds == 5
    assert settings.require_user_isolation_key is False
    assert settings.azure_client_id is None
    assert settings.cosmos_proxy_from_environment is False


def test_a_blank_variable_counts_as_absent() -> None:
    settings = Settings.from_environment(
        {**REQUIRED, "COSMOS_DATABASE": "", "COSMOS_KEY": " "}
        | {"COSMOS_ENDPOINT": "https://account.documents.azure.com:443/"}
    )

    assert settings.cosmos_database == "conversations"
    assert settings.cosmos_key is None


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on"])
def test_switches_take_the_usual_words(text: str) -> None:
    settings = Settings.from_environment({**REQUIRED, "REQUIRE_USER_ISOLATION_KEY": text})

    assert settings.require_user_isolation_key is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COSMOS_ENDPOINT", ""),
        ("COSMOS_ENDPOINT", "account.documents.azure.com"),
        ("COSMOS_ENDPOINT", "ftp://account"),
        ("COSMOS_ENDPOINT", "https://account/dbs/x"),
        ("COSMOS_KEY", "not base64!"),
        ("COSMOS_KEY", "c2Vj!cmV0"),  # a lenient decoder would skip what is no base64
        ("COSMOS_DATABASE", "a/b"),
        ("COSMOS_DATABASE", "n" * 256),
        ("COSMOS_CONTAINER", "n" * 256),
        ("COSMOS_CONTAINER", "ends in a blank "),
        ("COSMOS_TIMEOUT_SECONDS", "0"),
        ("COSMOS_TIMEOUT_SECONDS", "-1"),
        ("COSMOS_TIMEOUT_SECONDS", "30.1"),
        ("COSMOS_TIMEOUT_SECONDS", "nan"),
        ("COSMOS_TIMEOUT_SECONDS", "5s"),
        ("REQUIRE_USER_ISOLATION_KEY", "maybe"),
    ],
)
def test_a_bad_variable_is_named_and_its_value_is_not(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({**REQUIRED, name: value})

    assert name in str(raised.value)
    assert len(value) < 3 or value not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COSMOS_ENDPOINT", "https://account.documents.azure.com:443/"),
        ("COSMOS_DATABASE", "n"),
        ("COSMOS_DATABASE", "with a blank"),
        # The most that Cosmos DB takes: 255 characters
        # (https://learn.microsoft.com/azure/cosmos-db/concepts-limits).
        ("COSMOS_DATABASE", "n" * 255),
        ("COSMOS_CONTAINER", "n" * 255),
        ("AZURE_CLIENT_ID", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ],
)
def test_a_good_variable_is_taken_as_it_is(name: str, value: str) -> None:
    settings = Settings.from_environment({**REQUIRED, name: value})

    assert getattr(settings, name.lower()) == value


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("0.001", 0.001), ("2.5", 2.5)])
def test_the_budget_is_more_than_nothing_and_at_most_30_seconds(text: str, seconds: float) -> None:
    settings = Settings.from_environment({**REQUIRED, "COSMOS_TIMEOUT_SECONDS": text})

    assert settings.cosmos_timeout_seconds == seconds


def test_all_bad_variables_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"COSMOS_ENDPOINT: .*; COSMOS_TIMEOUT_SECONDS: "):
        Settings.from_environment({"COSMOS_TIMEOUT_SECONDS": "x"})


def test_a_token_is_never_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="COSMOS_ENDPOINT must be https"):
        Settings.from_environment({"COSMOS_ENDPOINT": "http://127.0.0.1:8081"})


def test_a_problem_with_no_variable_of_its_own_is_one_of_the_settings() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment({"COSMOS_ENDPOINT": "http://account"})

    assert str(raised.value) == (
        "Bad settings: settings: Value error, without COSMOS_KEY, COSMOS_ENDPOINT must be https"
    )


def test_the_key_is_not_shown() -> None:
    assert REQUIRED["COSMOS_KEY"] not in repr(Settings.from_environment(REQUIRED))
