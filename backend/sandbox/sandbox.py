"""Joins the parts of the sandbox: one HTTP door for AWS and control, one SMTP door."""

from __future__ import annotations

import ipaddress
import json
import random
from typing import TYPE_CHECKING

from backend.aws.client import Clients
from backend.aws.provision import Provisioner
from backend.clock import SystemClock
from backend.errors import ConfigError, RelayError, ServiceUnavailableError
from backend.sandbox.control import Control
from backend.sandbox.emitter import Emitter
from backend.sandbox.extras import require_extra
from backend.sandbox.faults import Faults
from backend.sandbox.moto_aws import MotoAws
from backend.sandbox.outcomes import read_outcomes
from backend.sandbox.ses_api import SesApi
from backend.sandbox.ses_send import Sending
from backend.sandbox.ses_state import SesState
from backend.sandbox.settings import SandboxAddresses, account_of
from backend.sandbox.smtp_door import Intake, SmtpDoor
from backend.sandbox.wsgi_server import WsgiServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from backend.aws.provision import Channel
    from backend.ports import Clock
    from backend.sandbox.settings import SandboxSettings

EVENTS = "relay-events"
INBOUND = "relay-inbound"
CONFIGURATION_SET = "relay"


class Sandbox:
    """AWS on loopback: ``start``, work with the addresses, ``stop``."""

    def __init__(self, settings: SandboxSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._rng = random.Random(settings.seed)  # seeded, so that a run can be repeated
        self._http: WsgiServer | None = None
        self._smtp: SmtpDoor | None = None
        self._emitter: Emitter | None = None

    def start(self) -> SandboxAddresses:
        """Bring everything up and give the addresses; blocks for about a second.

        Raises ConfigError when the extra is missing or the host is not this machine's loopback,
        and ServiceUnavailableError when a port is taken.
        """
        _require_loopback(self._settings.host)
        require_extra()
        try:
            return self._open()
        except OSError as error:
            self.stop()
            raise ServiceUnavailableError(f"the sandbox cannot listen: {error}") from error
        except RelayError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close both doors and end every thread; may be called twice."""
        if self._smtp is not None:
            self._smtp.stop()
        if self._emitter is not None:
            self._emitter.stop()
        if self._http is not None:
            self._http.stop()
        self._smtp = self._emitter = self._http = None

    def _open(self) -> SandboxAddresses:
        settings = self._settings
        self._http = WsgiServer(settings.host, settings.aws_port)
        account = account_of(self._http.port)
        bucket = f"{INBOUND}-{self._http.port}"  # names of buckets are global, as at AWS
        aws = MotoAws(settings.region, account)
        faults = Faults(self._rng)
        state = SesState(settings, self._clock, self._rng, account)
        emitter = Emitter(aws, faults=faults, clock=self._clock, rng=self._rng)
        sending = Sending(state, faults, emitter)
        sending.rules |= {
            where.lower(): read_outcomes(words) for where, words in settings.outcomes.items()
        }
        for domain in settings.verified_domains:
            state.add_identity(domain, verified=True)
        state.receiving |= {domain.lower() for domain in settings.receiving_domains}
        control = Control(state, faults=faults, sending=sending, emitter=emitter)
        door = _FrontDoor(aws, ses=SesApi(state, sending), control=control)
        self._http.start(door)
        self._emitter = emitter
        emitter.start()
        events, inbound = self._provision(self._http.port, bucket)
        intake = Intake(
            state, emitter, put=aws.put_object, bucket=bucket, topic_arn=inbound.topic_arn
        )
        self._smtp = SmtpDoor(intake, settings.host, settings.smtp_port)
        self._smtp.start()
        return self._addresses(events, inbound, bucket)

    def _provision(self, port: int, bucket: str) -> tuple[Channel, Channel]:
        clients = Clients(self._settings.region, self._url(port))
        try:
            provisioner = Provisioner(clients)
            provisioner.bucket(bucket)
            raw = self._settings.raw_message_delivery
            events = provisioner.channel(EVENTS, raw=raw)
            inbound = provisioner.channel(INBOUND, raw=raw)
            provisioner.configuration_set(CONFIGURATION_SET, events.topic_arn)
        finally:
            clients.close()
        return events, inbound

    def _addresses(self, events: Channel, inbound: Channel, bucket: str) -> SandboxAddresses:
        if self._http is None or self._smtp is None:
            raise ServiceUnavailableError("the sandbox is not running; start it first")
        addresses = SandboxAddresses(
            aws_endpoint=self._url(self._http.port),
            region=self._settings.region,
            smtp=f"{self._settings.host}:{self._smtp.port}",
            smtp_host=self._settings.host,
            smtp_port=self._smtp.port,
            events_queue_url=events.queue_url,
            inbound_queue_url=inbound.queue_url,
            inbound_bucket=bucket,
            configuration_set=CONFIGURATION_SET,
        )
        if folder := self._settings.folder:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "sandbox.json").write_text(json.dumps(addresses.to_json(), indent=2))
        return addresses

    def _url(self, port: int) -> str:
        return f"http://{self._settings.host}:{port}"


class _FrontDoor:
    """Sends each HTTP request to our SES, the control door, or moto."""

    def __init__(self, aws: MotoAws, *, ses: SesApi, control: Control) -> None:
        self._aws = aws
        self._ses = ses
        self._control = control

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith("/v2/email"):
            return self._ses(environ, start_response)
        if path.startswith("/_sandbox/"):
            return self._control(environ, start_response)
        return self._aws(environ, start_response)


def _require_loopback(host: str) -> None:
    # Anyone who reaches the control door may send and read mail: it asks for no key.
    try:
        local = host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigError(f"the sandbox listens on loopback only, not on {host!r}; use 127.0.0.1")
