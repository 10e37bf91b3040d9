"""Every setting of the program, read once, at start, from the environment and a TOML file.

Precedence: command line, environment, ``config.toml`` in the XDG config folder, default. A name
that is not known is an error: a typo must not pass silently. docs/configuration.md lists them all.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from backend.errors import ConfigError, InvalidInputError
from backend.model.limits import read_limits

if TYPE_CHECKING:
    from collections.abc import Mapping

# Names the founding documents give are taken as they are; the rest carry our prefix.
_BARE = frozenset(
    {
        "aws_endpoint_url",
        "aws_region",
        "psa_api_url",
        "crm_api_url",
        "portal_api_url",
        "integration_key",
        "bus_api_url",
        "books_api_url",
        "ingester_inbound_token",
    }
)


def environment_name(field: str) -> str:
    """Give the environment variable that sets a field of Config."""
    return field.upper() if field in _BARE else f"RELAY_{field.upper()}"


def data_home() -> Path:
    """Give the folder for our data: ``$XDG_DATA_HOME/relay-console``."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "relay-console"


def config_file() -> Path:
    """Give the path of the configuration file, whether or not it is there."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "relay-console" / "config.toml"


class Config(BaseSettings):
    """The settings; each field's description is its documentation."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    database: str = Field(
        default="",
        description="SQLite file or postgresql:// URL; empty means relay.db in the data folder.",
    )
    aws_endpoint_url: str | None = Field(
        default=None, description="Another address for all AWS services, such as the sandbox."
    )
    aws_region: str = Field(default="us-east-1", description="The AWS region of SES, S3 and SQS.")
    configuration_set: str = Field(
        default="", description="SES configuration set whose events come back to events_queue_url."
    )
    events_queue_url: str = Field(
        default="", description="SQS queue of SES sending events; empty: events are not polled."
    )
    inbound_queue_url: str = Field(
        default="", description="SQS queue of receipt notices; empty: inbound is not polled."
    )
    inbound_bucket: str = Field(
        default="", description="S3 bucket of raw inbound mail; empty: a local folder is used."
    )
    inbound_prefix: str = Field(
        default="", description="What the S3 keys of inbound mail begin with; the sweeper heeds it."
    )
    sweep_seconds: float = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How often the bucket is swept for mail no notice announced; 0: never.",
    )
    sweep_days: float = Field(
        default=7,
        gt=0,
        le=3650,
        description="Mail stored longer ago is left alone by the sweeper; keep rows longer.",
    )
    retention_hours: float = Field(
        default=1,
        ge=0,
        le=168,
        description="How often received mail that is kept no longer is deleted; 0: never.",
    )
    retention_delivered_days: int = Field(
        default=90,
        ge=0,
        le=36_500,
        description="Days that received mail is kept after its target took it; 0: for ever.",
    )
    retention_held_days: int = Field(
        default=180, ge=0, le=36_500, description="The same for held and unrouted mail."
    )
    retention_failed_days: int = Field(
        default=90, ge=0, le=36_500, description="The same for mail that no target took in time."
    )
    retention_quarantined_days: int = Field(
        default=30, ge=0, le=36_500, description="The same for quarantined mail."
    )
    retention_suppressed_days: int = Field(
        default=30, ge=0, le=36_500, description="The same for automatic answers and reports."
    )
    retention_discarded_days: int = Field(
        default=30, ge=0, le=36_500, description="The same for mail put away; it cannot come back."
    )
    retention_size_mb: int = Field(
        default=0,
        ge=0,
        description="MB of raw mail beyond which the oldest of the least worth goes; 0: no limit.",
    )
    retention_deletes_raw: bool = Field(
        default=True,
        description="Whether raw mail is deleted with its row; false: a rule of the bucket does.",
    )
    retention_jobs_days: int = Field(
        default=90, ge=1, le=3650, description="Days that finished jobs and their reports are kept."
    )
    sns_topic_arns: str = Field(
        default="",
        description="SNS topics that may post to /events/..., comma-separated; empty: none may.",
    )
    ingester_inbound_token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token of POST /events/inbound; empty: every such call is refused.",
    )
    inbound_domain: str = Field(
        default="relay.theonestack.com",
        description="The shared domain of ticket+, support+, crm+ and portal+ addresses.",
    )
    psa_api_url: str = Field(default="", description="Base URL of PSA; empty: its mail is held.")
    crm_api_url: str = Field(default="", description="Base URL of CRM; empty: its mail is held.")
    portal_api_url: str = Field(
        default="", description="Base URL of Portal; empty: its mail is held."
    )
    reply_token_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs reply addresses; empty: replies are known by their Message-IDs only.",
    )
    reply_token_secret_previous: SecretStr = Field(
        default=SecretStr(""),
        description="The secret before it, so that mail sent then can still be answered.",
    )
    integration_key: SecretStr = Field(
        default=SecretStr(""), description="Bearer token for PSA, CRM, Portal, Books and the bus."
    )
    target_attachment_mb: int = Field(
        default=5,
        ge=0,
        le=30,
        description="How many MB of a message's attachments a target gets as content.",
    )
    public_api_url: str = Field(
        default="",
        description="URL of the HTTP API as targets see it, for links to larger attachments.",
    )
    bus_api_url: str = Field(
        default="", description="Where bus events are posted; empty: they stay in the outbox."
    )
    bus_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs what the bus gets, as whsec_ and base64; empty: it is not signed.",
    )
    books_api_url: str = Field(
        default="", description="Base URL of Books; empty: usage is counted and not posted."
    )
    retention_events_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="How long events, and what webhooks were posted, are kept; 0: for ever.",
    )
    secrets_key: SecretStr = Field(
        default=SecretStr(""),
        description="Seals signing secrets of webhooks in the database, newest key first; empty: a"
        " file beside the SQLite database has it.",
    )
    webhooks_inside: bool = Field(
        default=False,
        description="Let webhooks go to http and to private addresses; for development only.",
    )
    webhook_disable_days: float = Field(
        default=5,
        gt=0,
        le=365,
        description="A webhook endpoint that fails for so many days is switched off.",
    )
    api_host: str = Field(default="127.0.0.1", description="Address the HTTP API listens on.")
    api_port: int = Field(
        default=8025, ge=0, le=65535, description="Port of the HTTP API; 0 takes a free one."
    )
    workers: int = Field(
        default=16,
        ge=1,
        le=64,
        description="How many work items other than mail one process handles at a time, and how"
        " many calls it makes to one target at a time.",
    )
    send_threads: int = Field(
        default=8,
        ge=1,
        le=64,
        description="How many calls to AWS one process has under way at a time.",
    )
    poll_seconds: float = Field(
        default=0.5, gt=0, le=60, description="How often the work queue is asked when idle."
    )
    lease_seconds: float = Field(
        default=30, ge=1, le=3600, description="Work not heard of for so long is taken over."
    )
    unknown_wait_seconds: float = Field(
        default=120,
        ge=0,
        le=3600,
        description="How long to wait for the SEND event of a mail whose answer was lost.",
    )
    brake_bounce_percent: float = Field(
        default=10,
        ge=0,
        le=100,
        description="Hard bounces of a tenant, in percent, at which its mail waits; 0 is never.",
    )
    brake_complaint_percent: float = Field(
        default=0.5,
        ge=0,
        le=100,
        description="Complaints about a tenant, in percent, at which its mail waits; 0 is never.",
    )
    retry_hours: float = Field(
        default=24,
        gt=0,
        le=240,
        description="How long a mail or a target is tried before giving up.",
    )
    send_limits: str = Field(
        default="10/s 100/min 2000/h 40000/day",
        description="How many messages a tenant may hand in, unless it has limits of its own; none:"
        " no limit.",
    )
    authserv_id: str = Field(
        default="",
        description="Name our own mail server signs Authentication-Results with; empty: none is"
        " believed. SES writes amazonses.com.",
    )
    sender_rate_limit: int = Field(
        default=500,
        ge=0,
        description="Messages of one sender in a rate window beyond which they are quarantined;"
        " 0: no limit.",
    )
    thread_rate_limit: int = Field(
        default=30,
        ge=0,
        description="Messages in one conversation in a rate window beyond which they are"
        " quarantined; 0: no limit.",
    )
    rate_window_minutes: int = Field(
        default=10, ge=1, le=1440, description="Length of the window of both rate limits."
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Least severity that is logged.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take init values only: load_config merges the sources and names the wrong one."""
        return (init_settings,)

    @field_validator("database")
    @classmethod
    def _check_database(cls, text: str) -> str:
        scheme, found, _ = text.partition("://")
        if found and scheme not in ("sqlite", "postgresql", "postgresql+psycopg"):
            raise ValueError("a database is a SQLite file or a postgresql:// URL")
        return text

    @field_validator("send_limits")
    @classmethod
    def _check_limits(cls, text: str) -> str:
        try:
            read_limits(text)
        except InvalidInputError as error:
            raise ValueError(str(error).removeprefix("limits: ")) from None
        return text

    @property
    def sns_topics(self) -> frozenset[str]:
        """Give the SNS topics that may post to us."""
        return frozenset(filter(None, map(str.strip, self.sns_topic_arns.split(","))))

    @property
    def database_url(self) -> str:
        """Give the database as an SQLAlchemy URL."""
        if self.database.startswith(("postgresql://", "postgresql+psycopg://")):
            return "postgresql+psycopg://" + self.database.partition("://")[2]
        path = self.database.removeprefix("sqlite:///") or str(data_home() / "relay.db")
        return f"sqlite:///{Path(path).expanduser().absolute()}"


def load_config(environ: Mapping[str, str], **overrides: object) -> Config:
    """Merge file, environment and overrides; raise ConfigError with one sentence per fault."""
    values: dict[str, Any] = _read_file(config_file())
    strange = next((name for name in values if name not in Config.model_fields), None)
    if strange is not None:
        raise ConfigError(
            f"{config_file()}: {strange} is not a setting; docs/configuration.md lists them"
        )
    for field in Config.model_fields:
        name = environment_name(field)
        if name in environ:
            values[field] = environ[name]
    unknown = [
        name
        for name in environ
        if name.startswith("RELAY_") and name.removeprefix("RELAY_").lower() not in _known()
    ]
    if unknown:
        raise ConfigError(
            f"environment: {unknown[0]} is not a setting; docs/configuration.md lists them"
        )
    values |= {key: value for key, value in overrides.items() if value is not None}
    try:
        return Config(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = environment_name(str(first["loc"][0]))
        wrong = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{where}: {wrong}; docs/configuration.md says what it may be") from None


# Read by the command line and the sandbox, not by Config.
_OTHERS = frozenset(
    {"faultpoint", "api_key", "api_url", "smtp", "desk_url", "readonly", "theme", "copy"}
)


def _known() -> frozenset[str]:
    return frozenset(Config.model_fields) - _BARE | _OTHERS


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}; mend the file or move it away") from None
