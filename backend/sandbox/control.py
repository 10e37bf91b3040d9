"""The control door ``/_sandbox/``: faults, outcomes, domains, and a look at accepted mail."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from backend.errors import InvalidInputError
from backend.sandbox import mail_headers
from backend.sandbox.accepted import stamp
from backend.sandbox.faults import read_fault
from backend.sandbox.outcomes import read_outcomes
from backend.sandbox.ses_call import SesError, answer, answer_error, read_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from backend.sandbox.accepted import Accepted
    from backend.sandbox.emitter import Emitter
    from backend.sandbox.faults import Faults
    from backend.sandbox.ses_call import Call
    from backend.sandbox.ses_send import Sending
    from backend.sandbox.ses_state import SesState

_PAGE = 1000


class Control:
    """A WSGI application for everything below ``/_sandbox/``."""

    def __init__(
        self, state: SesState, *, faults: Faults, sending: Sending, emitter: Emitter
    ) -> None:
        self._state = state
        self._faults = faults
        self._sending = sending
        self._emitter = emitter
        self._routes: dict[tuple[str, str], Callable[[Call], dict[str, Any]]] = {
            ("GET", "/_sandbox/health"): self._health,
            ("GET", "/_sandbox/faults"): self._outstanding,
            ("POST", "/_sandbox/faults"): self._add_fault,
            ("DELETE", "/_sandbox/faults"): self._clear_faults,
            ("POST", "/_sandbox/outcomes"): self._add_outcomes,
            ("POST", "/_sandbox/domains"): self._add_domain,
            ("GET", "/_sandbox/ses/messages"): self._messages,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call; what is wrong with it is said in ``message``."""
        try:
            return answer(start_response, self._act(read_call(environ)))
        except SesError as error:
            return answer_error(start_response, error)
        except (InvalidInputError, ValueError) as error:
            return answer_error(start_response, SesError("InvalidInput", 422, str(error)))

    def _act(self, call: Call) -> dict[str, Any]:
        act = self._routes.get((call.method, call.path.rstrip("/")))
        if act is None:
            raise SesError("NotFound", 404, f"the sandbox has no {call.method} {call.path}")
        return act(call)

    def _health(self, _: Call) -> dict[str, Any]:
        return {
            "status": "ok",
            "accepted": self._state.number,
            "calls": dict(self._state.calls),
            "notices_pending": self._emitter.pending,
            "notices_published": self._emitter.published,
        }

    def _outstanding(self, _: Call) -> dict[str, Any]:
        return {"faults": self._faults.outstanding()}

    def _add_fault(self, call: Call) -> dict[str, Any]:
        self._faults.add(read_fault(call.body))
        return self._outstanding(call)

    def _clear_faults(self, call: Call) -> dict[str, Any]:
        self._faults.clear()
        return self._outstanding(call)

    def _add_outcomes(self, call: Call) -> dict[str, Any]:
        where = str(call.body.get("address", "")).lower()
        words = call.body.get("outcomes")
        if "@" not in where or not isinstance(words, list):
            raise InvalidInputError(
                'outcomes need an address or "@domain", and a list of words', field="address"
            )
        if words:
            self._sending.rules[where] = read_outcomes(words)
        else:
            self._sending.rules.pop(where, None)
        return {"address": where, "outcomes": words}

    def _add_domain(self, call: Call) -> dict[str, Any]:
        name = str(call.body.get("name", "")).strip().lower()
        if "." not in name or "@" in name:
            raise InvalidInputError("a domain needs a name such as client.example", field="name")
        if call.body.get("verified"):
            self._state.add_identity(name, verified=True)
        if call.body.get("receiving"):
            self._state.receiving.add(name)
        return {"name": name, "receiving": name in self._state.receiving}

    def _messages(self, call: Call) -> dict[str, Any]:
        after, limit = int(call.first("after", "0")), int(call.first("limit", str(_PAGE)))
        with_raw = call.first("raw") in {"1", "true"}
        with self._state.lock:
            mails = [mail for mail in self._state.mail if mail.number > after][:limit]
            last = self._state.number
        return {"messages": [_row(mail, with_raw=with_raw) for mail in mails], "last": last}


def _row(mail: Accepted, *, with_raw: bool) -> dict[str, Any]:
    """Show a mail; ``headers`` are those its readers see, the last of each name."""
    row: dict[str, Any] = {
        "number": mail.number,
        "message_id": mail.message_id,
        "at": stamp(mail.at),
        "sender": mail.draft.sender,
        "recipients": list(mail.draft.recipients),
        "tags": dict(mail.draft.tags),
        "configuration_set": mail.draft.configuration_set,
        "headers": dict(mail_headers.read_headers(mail.raw)),
    }
    return row | ({"raw": base64.b64encode(mail.raw).decode()} if with_raw else {})
