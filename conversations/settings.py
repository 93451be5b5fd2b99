"""The environment variables this app reads: checked, with their defaults.

Reads no environment by itself: whoever puts the app together hands it over.
"""

import base64
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from conversations.limits import (
    DEFAULT_TIMEOUT_SECONDS,
    MAX_COSMOS_NAME_LENGTH,
    MAX_TIMEOUT_SECONDS,
)

# With TLS, or on this machine, as tests need it.
SAFE_URL = r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^?#\s]+$"


class SettingsError(Exception):
    """The settings are missing or wrong; the text tells the operator which, and quotes none."""


def _decodable(key: SecretStr) -> SecretStr:
    """Account keys are base64; the SDK would find out only when it signs a request."""
    base64.b64decode(key.get_secret_value(), validate=True)
    return key


CosmosName = Annotated[
    str, Field(pattern=r"^[^/\\?#]*[^/\\?# ]$", max_length=MAX_COSMOS_NAME_LENGTH)
]


class Settings(BaseModel):
    """The app's configuration; a field's environment variable is its name in upper case."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper, hide_input_in_errors=True)

    cosmos_endpoint: str = Field(
        pattern=r"^https?://[^/?#\s]+/?$",
        description="URL of the Cosmos DB account.",
    )
    cosmos_key: Annotated[SecretStr, AfterValidator(_decodable)] | None = Field(
        default=None,
        description="Account key, for the stand-in and the emulator. Absent: managed identity.",
    )
    azure_client_id: str | None = Field(
        default=None,
        description="Client id of the user-assigned managed identity to use.",
    )
    cosmos_database: CosmosName = Field(
        default="conversations",
        description="Name of the database.",
    )
    cosmos_container: CosmosName = Field(
        default="conversations",
        description="Name of the container, partitioned by /isolation_key.",
    )
    cosmos_timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS,
        gt=0,
        le=MAX_TIMEOUT_SECONDS,
        description="Budget of a request's database work in seconds, opening and retry included.",
    )
    cosmos_proxy_from_environment: bool = Field(
        default=False,
        description="Reach Cosmos DB through HTTPS_PROXY and the like; costs CPU in every request.",
    )
    require_user_isolation_key: bool = Field(
        default=False,
        description="Refuse requests without x-ms-user-isolation-key.",
    )

    gateway_principal_id: str | None = Field(
        default=None,
        description="Object id of the gateway's identity: nobody else may call. Absent: all may.",
    )
    gateway_issuer: str | None = Field(
        default=None,
        pattern=SAFE_URL,
        description="Issuer of the gateway's tokens, below whose URL its keys are published.",
    )
    gateway_audience: str | None = Field(
        default=None,
        description="Application that the gateway's tokens are for.",
    )

    @model_validator(mode="after")
    def _a_lock_is_whole(self) -> Self:
        lock = (self.gateway_principal_id, self.gateway_issuer, self.gateway_audience)
        if any(lock) and not all(lock):
            raise ValueError(
                "GATEWAY_PRINCIPAL_ID, GATEWAY_ISSUER and GATEWAY_AUDIENCE belong together"
            )
        return self

    @model_validator(mode="after")
    def _tokens_need_tls(self) -> Self:
        if self.cosmos_key is None and not self.cosmos_endpoint.startswith("https://"):
            raise ValueError("without COSMOS_KEY, COSMOS_ENDPOINT must be https")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Check the variables in `environment`; a blank one counts as absent.

        Raises SettingsError naming every variable that is missing or wrong, never its value.
        """
        names = [name.upper() for name in cls.model_fields]
        given = {name: environment[name] for name in names if environment.get(name, "").strip()}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg']}"
                for problem in error.errors(include_input=False, include_url=False)
            )
        raise SettingsError(f"Bad settings: {problems}")
