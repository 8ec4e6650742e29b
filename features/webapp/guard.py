"""What stands before gradio: only the addresses that the page needs, bodies of a bounded size and known shape, a policy for the browser.

Gradio's own server takes uploads and keeps them in files, offers an editor of the page's code, a history of runs, links that keep what a
visitor entered. None of it is needed, so none of it can be reached.
"""

from __future__ import annotations

import json
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .request_shape import BadRequest, check_request

_GET = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|robots\.txt)/?|/(assets|static)/.*"
    r"|/gradio_api/(info/?|app_id/?|startup-events|queue/(data|status)|heartbeat/\w+)"
)
_WORK = "/gradio_api/queue/join"
_POST = re.compile(f"{_WORK}|/gradio_api/(cancel|reset)/?")
#: Of a request that holds no photos.
_SMALL_BYTES = 10_000
_ALLOWED = {"GET": _GET, "HEAD": _GET, "POST": _POST}
#: Nothing from, and nothing to, another host. Gradio makes templates into functions ('unsafe-eval') and writes styles into the page.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(self), microphone=(), geolocation=()",
}


class Guard:
    """An application behind a guard.

    Parameters
    ----------
    app : ASGI application
    max_body_bytes : int
        Of one request.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem is not None:
            await _refuse(send, *problem)
            return
        if scope["path"] == _WORK:
            body = await _body(receive)
            try:
                check_request(body)
            except BadRequest as error:
                await _refuse(send, 422, str(error))
                return
            receive = _replaying(body, receive)
        await self._app(scope, receive, _with_headers(send))

    def _problem(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for what is not passed on."""
        allowed = _ALLOWED.get(scope["method"])
        if allowed is None or not allowed.fullmatch(scope["path"]):
            return 404, "There is nothing at this address."
        if scope["method"] != "POST":
            return None
        length = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if length is None or not length.isdigit():
            return 411, "The request must state its length."
        limit = self._max_body_bytes if scope["path"] == _WORK else _SMALL_BYTES
        if int(length) > limit:
            return 413, f"The request is too large: {int(length) / 1e6:.0f} MB, at most {limit / 1e6:.3g} MB."
        return None


async def _body(receive: Receive) -> bytes:
    """The whole body; its size was stated before, and the server holds the sender to it."""
    parts, is_more = [], True
    while is_more:
        message = await receive()
        parts.append(message.get("body", b""))
        is_more = message.get("more_body", False)  # false, too, when the sender is gone
    return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives a body that was read already, then whatever comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS.items()]}
        await send(message)

    return send_with_headers


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
