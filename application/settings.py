"""The settings of a server process, from the environment and the file `.env`."""

import re
from collections.abc import Mapping
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from application.transports.limits import Limits
from application.trusted import read_documents
from execution.limits import OperationLimits
from schema.connection import DEFAULT_PAGE, MAX_PAGE
from services.accounts.bots import DEFAULT_MOST_BOTS
from services.accounts.passwords import DEFAULT_QUEUE
from services.accounts.sessions import DEFAULT_MOST_SECONDS, DEFAULT_MOST_SESSIONS, DEFAULT_TTL
from services.errors import OperatorError
from services.hub.bells import Channels
from services.rates import Rate, Rates
from services.redis.durability import Durability
from services.redis.endpoints import address, as_url

ENV_FILE = ".env"

_MOST_FIELDS = 100
"""Of one selection: no type has nearly as many."""

_MOST_FRAGMENTS = 50
"""Of one document; introspection has 3, and the largest of the client's 5."""


def _rate(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


ParsedRate = Annotated[Rate, NoDecode, BeforeValidator(_rate)]


MetricsPlace = str | tuple[str, int] | None
"""A path of the server's own port, or a host and port for the metrics alone, or nowhere."""

_METRICS_FORMS = "off, a port, host:port, or a path like /metrics"
_TAKEN_PATHS = ("/graphql", "/healthz", "/readyz")
_PATH = re.compile(r"/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


def _metrics_place(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lower() == "off":
        return None
    if _PATH.fullmatch(value) and value not in _TAKEN_PATHS:
        return value
    address = f"127.0.0.1:{value}" if value.isdecimal() else value
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"should be {_METRICS_FORMS}")
    return host, int(port)


ParsedMetricsPlace = Annotated[MetricsPlace, NoDecode, BeforeValidator(_metrics_place)]


class InvalidSettings(OperatorError):
    """A setting has a value that cannot be used."""


class Settings(BaseSettings):
    """Every field is documented in `.env.sample` too; a test compares them."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, env_ignore_empty=True, extra="ignore")

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network."
    )
    port: int = Field(
        default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    workers: int = Field(
        default=1, ge=1, le=256, description="How many processes serve, one for each core."
    )
    redis_endpoint_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("REDIS_ENDPOINT_URL", "REDIS_ENDPOINT_URI"),
        description="The Redis to use: host:port, or a URL of one of the forms in docs/stores.md.",
    )
    redis_password: SecretStr | None = Field(
        default=None, description="The password of that Redis."
    )
    data_dir: Path = Field(default=Path(".data"), description="Folder of the embedded store.")
    appendfsync: Literal["everysec", "always"] = Field(
        default="everysec", description="When the embedded store flushes writes to the disk."
    )
    wait_replicas: int = Field(
        default=0, ge=0, description="How many replicas must have a message before it is confirmed."
    )
    wait_disk: bool = Field(
        default=False, description="Confirm a message only when it is on the disk: true or false."
    )
    channels: Channels = Field(
        default=Channels.SHARED,
        description="How servers tell each other of news: shared, both or sharded.",
    )
    session_ttl_seconds: int = Field(
        default=DEFAULT_TTL, ge=1, description="How long a log-in lasts unused, in seconds."
    )
    session_max_seconds: int = Field(
        default=DEFAULT_MOST_SECONDS,
        ge=1,
        description="How long a log-in lasts however much it is used, in seconds.",
    )
    sessions_per_user: int = Field(
        default=DEFAULT_MOST_SESSIONS, ge=1, description="How many log-ins a user may have."
    )
    bots_per_user: int = Field(
        default=DEFAULT_MOST_BOTS, ge=0, description="How many bots a user may have; 0 for none."
    )
    registration: bool = Field(
        default=True, description="Let whoever reaches the server open an account: true or false."
    )
    login_queue: int = Field(
        default=DEFAULT_QUEUE,
        ge=1,
        description="How many log-ins may wait until their passwords are checked.",
    )
    rate_limits: bool = Field(
        default=True, description="Whether the rates below are limited: on or off."
    )
    logins_per_address: ParsedRate = Field(
        default=Rate(300, "hour"), description="Log-ins from one address."
    )
    logins_per_name: ParsedRate = Field(
        default=Rate(60, "hour"), description="Log-ins with one name."
    )
    registrations_per_address: ParsedRate = Field(
        default=Rate(60, "hour"), description="Registrations from one address."
    )
    registrations_per_name: ParsedRate = Field(
        default=Rate(10, "hour"), description="Registrations with one name."
    )
    messages_per_user: ParsedRate = Field(
        default=Rate(300, "minute"), description="Messages of one user."
    )
    operations_per_token: ParsedRate = Field(
        default=Rate(3000, "minute"), description="Operations with one session."
    )
    messages_per_bot: ParsedRate = Field(
        default=Rate(120, "minute"), description="Messages of one bot."
    )
    operations_per_bot: ParsedRate = Field(
        default=Rate(1200, "minute"), description="Operations of one bot."
    )
    demo_data: bool = Field(
        default=True, description="Fill an empty store with the demo users and rooms."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Web origins besides the server's own that may use the API."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks of the proxies that tell whom they forward for.",
    )
    introspection: bool = Field(
        default=True, description="Tell the schema to whoever asks for it: true or false."
    )
    playground: bool = Field(
        default=True, description="Serve the playground at /graphql: true or false."
    )
    max_query_tokens: int = Field(
        default=1_000, ge=1, description="How many tokens a document may have."
    )
    max_query_depth: int = Field(
        default=12, ge=1, description="How deep fields may be nested in an operation."
    )
    max_query_aliases: int = Field(
        default=30, ge=0, description="How many aliases an operation may have."
    )
    max_query_root_fields: int = Field(
        default=20, ge=1, description="How many root fields an operation may have."
    )
    max_query_directives: int = Field(
        default=50, ge=0, description="How many directives an operation may have."
    )
    max_query_cost: int = Field(
        default=10_000,
        ge=1,
        description="How many objects an operation may return, by the sizes of the lists in it.",
    )
    max_body_bytes: int = Field(
        default=256 * 1024, ge=1, description="How large the body of a request may be, in bytes."
    )
    max_frame_bytes: int = Field(
        default=256 * 1024, ge=1, description="How large a WebSocket message may be, in bytes."
    )
    connection_init_seconds: float = Field(
        default=10.0, gt=0, description="How long a WebSocket may wait with its connection_init."
    )
    max_operations_per_connection: int = Field(
        default=100, ge=1, description="How many operations may run on a WebSocket at a time."
    )
    max_subscriptions_per_connection: int = Field(
        default=100, ge=1, description="How many of those may be subscriptions."
    )
    max_connections_per_user: int = Field(
        default=500,
        ge=0,
        description="How many WebSockets and event streams a user may have open.",
    )
    max_connections_per_address: int = Field(
        default=2_000,
        ge=0,
        description="How many WebSockets and event streams may be open from an address.",
    )
    max_batch_size: int = Field(
        default=0, ge=0, description="How many requests a JSON array may hold; 0 for no batches."
    )
    trusted_documents: Annotated[Mapping[str, str] | None, NoDecode] = Field(
        default=None, description="The only documents to serve: a JSON file, or a folder of them."
    )
    metrics: ParsedMetricsPlace = Field(
        default=None, description="Where Prometheus finds the metrics: off, a port, or a path."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is worth a line on stderr."
    )

    @field_validator("redis_endpoint_url")
    @classmethod
    def _names_a_store(cls, value: str | None) -> str | None:
        if value is not None:
            as_url(value)
        return value

    @field_validator("wait_replicas")
    @classmethod
    def _has_replicas(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("redis_endpoint_url", "invalid") is None:
            raise ValueError("should be 0 for the embedded store, which has no replicas")
        return value

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _separated_by_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(item.strip().rstrip("/") for item in value.split(",") if item.strip())

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError("should be origins like https://chat.example.com")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(
                    "should be addresses or networks like 127.0.0.1 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("trusted_documents", mode="before")
    @classmethod
    def _are_read(cls, value: object) -> object:
        return read_documents(Path(value)) if isinstance(value, str | Path) else value

    @field_validator("channels", "log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def store_url(self) -> str | None:
        """The Redis to use as a URL; None for the embedded store."""
        if self.redis_endpoint_url is None:
            return None
        return as_url(self.redis_endpoint_url)

    @property
    def store_address(self) -> str:
        """What to call the store in messages: never with a password."""
        if self.redis_endpoint_url is None:
            return str(self.data_dir)
        return address(as_url(self.redis_endpoint_url))

    @property
    def durability(self) -> Durability:
        return Durability(replicas=self.wait_replicas, disk=self.wait_disk)

    @property
    def operation_limits(self) -> OperationLimits:
        return OperationLimits(
            depth=self.max_query_depth,
            aliases=self.max_query_aliases,
            directives=self.max_query_directives,
            root_fields=self.max_query_root_fields,
            fields=_MOST_FIELDS,
            fragments=_MOST_FRAGMENTS,
            cost=self.max_query_cost,
            default_page=DEFAULT_PAGE,
            max_page=MAX_PAGE,
        )

    @property
    def socket_limits(self) -> Limits:
        return Limits(
            init_seconds=self.connection_init_seconds,
            max_operations=self.max_operations_per_connection,
            max_subscriptions=self.max_subscriptions_per_connection,
        )

    @property
    def rates(self) -> Rates:
        if not self.rate_limits:
            return Rates()
        return Rates(**{field.name: getattr(self, field.name) for field in fields(Rates)})

    @property
    def store_password(self) -> str | None:
        return self.redis_password.get_secret_value() if self.redis_password else None


def load_settings() -> Settings:
    """The settings, or InvalidSettings that names each wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        problems = (
            f"{str(problem['loc'][0]).upper()}: {_reason(problem['msg'])}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise InvalidSettings("; ".join(problems)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"Cannot read {ENV_FILE}: {error}") from None


def _reason(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input ")
    return text.rstrip(".").replace("\n", " ")
