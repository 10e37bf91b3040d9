"""A threaded HTTP/1.1 server for WSGI applications, which can also misbehave on purpose.

werkzeug's own server closes every connection after one answer, which would cost each AWS call a new
socket. Here a body is always read whole before the application runs, so keep-alive is safe.
"""

from __future__ import annotations

import io
import logging
import select
import socket
import struct
import sys
import threading
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_LARGEST_BODY = 64 * 1024 * 1024
_IDLE_SECONDS = 300.0
_LONGEST_HANG = 300.0


class DropConnectionError(Exception):
    """Raised by an application that leaves its caller without an answer.

    ``reset`` closes with a TCP reset; otherwise the connection stays open and silent.
    """

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "hang")
        self.reset = reset


class WsgiServer:
    """Serves one application from a thread of its own; ``port`` 0 takes a free one."""

    def __init__(self, host: str, port: int) -> None:
        self._server = _Server((host, port), _Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="sandbox-http", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self, app: WSGIApplication) -> None:
        """Begin to answer; callers who came earlier have waited."""
        self._server.app = app
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self._server.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    app: WSGIApplication

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.stopping = threading.Event()
        self._open: set[Any] = set()
        self._to_reset: set[Any] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer asks DNS for the host's full name here, which can take seconds.
        socket.socket.bind(self.socket, self.server_address[:2])
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def reset(self, request: socket.socket) -> None:
        """Make the closing of a connection a TCP reset."""
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._to_reset.add(request)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request in self._to_reset:
            self._to_reset.discard(request)
            request.close()
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was quicker

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Callers that go away in mid-answer are part of the tests' life.
        failure = sys.exc_info()[1]
        if not isinstance(failure, OSError):
            log.error("sandbox: a connection failed", exc_info=failure)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing: the sandbox shares a terminal with the console."""

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self._write(413, [], b"")
            return
        try:
            status, headers, answer = self._run(self._environ(body))
        except DropConnectionError as drop:
            self._drop(drop)
        except Exception:  # the loop's edge: one bad call must not end the server
            log.exception("sandbox: %s %s failed", self.command, self.path)
            self._write(500, [("Content-Type", "application/json")], b'{"message":"sandbox"}')
        else:
            self._write(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(length)

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            if len(body) > _LARGEST_BODY:
                self.close_connection = True
                return None
        while self.rfile.readline().strip():
            continue
        return bytes(body)

    def _environ(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}:
                environ[key] = value
        return environ

    def _run(self, environ: WSGIEnvironment) -> tuple[int, list[tuple[str, str]], bytes]:
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        written = bytearray()

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None, /
        ) -> Any:
            begun.append((status, headers))
            return written.extend

        chunks = self.server.app(environ, start_response)
        try:
            for chunk in chunks:
                written += chunk
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = begun[-1]
        return int(status.split()[0]), headers, bytes(written)

    def _write(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        head = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Date: {formatdate(usegmt=True)}",
        ]
        bodiless = self.command == "HEAD" or status in {204, 304}
        for name, value in headers:
            if bodiless or name.lower() not in {"content-length", "connection"}:
                head.append(f"{name}: {value}")
        if not bodiless:
            head.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            head.append("Connection: close")
        text = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        self.wfile.write(text if bodiless else text + body)

    def _drop(self, drop: DropConnectionError) -> None:
        self.close_connection = True
        if drop.reset:
            self.server.reset(self.connection)
            return
        # Silent until the caller gives up, the sandbox stops, or nobody can still be waiting.
        for _ in range(int(_LONGEST_HANG / 0.25)):
            gone, _, _ = select.select([self.connection], [], [], 0.25)
            if gone or self.server.stopping.is_set():
                return
