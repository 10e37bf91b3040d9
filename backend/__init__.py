"""The backend of the Relay Console; this is its front door and nothing below it is public.

``open_backend`` opens the database and, unless told otherwise, runs the workers beside it;
``serve`` adds the HTTP API; ``open_demo`` and ``run_sandbox`` need the ``sandbox`` extra. What is
slow to import comes when it is first asked for: ``relay-console --help`` must not load SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backend.clock import SystemClock
from backend.errors import (
    AllSuppressedError,
    AuthenticationError,
    ConfigError,
    DatabaseBusyError,
    DomainNotVerifiedError,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
    PermanentError,
    RefusedError,
    RelayError,
    SchemaTooNewError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
    TransientError,
    UnknownOutcomeError,
)
from backend.model.automated import Kind
from backend.model.feedback import EventKind, TimelineEntry
from backend.model.inbound import (
    WAITING,
    AttachmentInfo,
    Finding,
    InboundMessage,
    InboundStatus,
    Match,
    MatchStatus,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    Stage,
    Step,
    TargetAction,
    TargetName,
)
from backend.model.inspected import InspectedMail
from backend.model.outbound import (
    Accepted,
    Attachment,
    Attempt,
    AttemptState,
    Email,
    EmailDraft,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
    Skipped,
)
from backend.model.rules import Rule, RuleAct, RuleTrial
from backend.model.screening import (
    ClassAct,
    ListEntry,
    ListKind,
    ListWish,
    OpenBreaker,
    RateScope,
    ScreenPolicy,
)
from backend.model.stats import Counter, SeriesPoint
from backend.model.suppression import Suppression, SuppressionReason
from backend.model.tenant import (
    ApiKey,
    CatchAll,
    DnsRecord,
    Domain,
    DomainStatus,
    IssuedKey,
    Scope,
    Tenant,
)
from backend.model.views import (
    AccountState,
    Direction,
    DomainDetail,
    EmailDetail,
    InboundDetail,
    InboundQuery,
    LogEntry,
    LogQuery,
    SuppressionQuery,
)

if TYPE_CHECKING:
    from backend.app import Backend, open_backend
    from backend.config import Config, config_file, data_home, environment_name, load_config
    from backend.demo import (
        Demo,
        DemoSettings,
        DemoSummary,
        SandboxOptions,
        open_demo,
        run_sandbox,
    )
    from backend.domains.settings import DomainChange
    from backend.inbound.inspect import inspect_file, inspect_mail
    from backend.logs import configure_logging, console_log
    from backend.server import serve

_LATE = {
    "Backend": "backend.app",
    "Config": "backend.config",
    "DomainChange": "backend.domains.settings",
    "Demo": "backend.demo",
    "DemoSettings": "backend.demo",
    "DemoSummary": "backend.demo",
    "SandboxOptions": "backend.demo",
    "config_file": "backend.config",
    "configure_logging": "backend.logs",
    "console_log": "backend.logs",
    "data_home": "backend.config",
    "environment_name": "backend.config",
    "inspect_file": "backend.inbound.inspect",
    "inspect_mail": "backend.inbound.inspect",
    "load_config": "backend.config",
    "open_backend": "backend.app",
    "open_demo": "backend.demo",
    "run_sandbox": "backend.demo",
    "serve": "backend.server",
}

__all__ = [
    "WAITING",
    "Accepted",
    "AccountState",
    "AllSuppressedError",
    "ApiKey",
    "Attachment",
    "AttachmentInfo",
    "Attempt",
    "AttemptState",
    "AuthenticationError",
    "Backend",
    "CatchAll",
    "ClassAct",
    "Config",
    "ConfigError",
    "Counter",
    "DatabaseBusyError",
    "Demo",
    "DemoSettings",
    "DemoSummary",
    "Direction",
    "DnsRecord",
    "Domain",
    "DomainChange",
    "DomainDetail",
    "DomainNotVerifiedError",
    "DomainStatus",
    "Email",
    "EmailDetail",
    "EmailDraft",
    "EmailStatus",
    "EventKind",
    "Finding",
    "ForbiddenError",
    "IdempotencyConflictError",
    "InboundDetail",
    "InboundMessage",
    "InboundQuery",
    "InboundStatus",
    "InspectedMail",
    "InvalidInputError",
    "IssuedKey",
    "Kind",
    "LeaseLostError",
    "ListEntry",
    "ListKind",
    "ListWish",
    "LogEntry",
    "LogQuery",
    "Match",
    "MatchStatus",
    "NotFoundError",
    "OpenBreaker",
    "PermanentError",
    "RateScope",
    "Reason",
    "Recipient",
    "RecipientKind",
    "RecipientStatus",
    "RefusedError",
    "RelayError",
    "Route",
    "Rule",
    "RuleAct",
    "RuleTrial",
    "SandboxOptions",
    "ScanVerdict",
    "ScanVerdicts",
    "SchemaTooNewError",
    "Scope",
    "ScreenPolicy",
    "SendingPausedError",
    "SeriesPoint",
    "ServiceUnavailableError",
    "Skipped",
    "Stage",
    "Step",
    "Suppression",
    "SuppressionQuery",
    "SuppressionReason",
    "SystemClock",
    "TargetAction",
    "TargetName",
    "Tenant",
    "ThrottledError",
    "TimelineEntry",
    "TransientError",
    "UnknownOutcomeError",
    "config_file",
    "configure_logging",
    "console_log",
    "data_home",
    "environment_name",
    "inspect_file",
    "inspect_mail",
    "load_config",
    "open_backend",
    "open_demo",
    "run_sandbox",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Import the heavy half of the front door when it is first asked for."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'backend' has no attribute {name!r}")
