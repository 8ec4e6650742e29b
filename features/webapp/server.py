"""The page on a port: gradio behind the guard, in uvicorn.

gradio is imported here, at once: whoever imports this module has asked for it with :func:`faceheads.extra.require_extra`.
"""

from __future__ import annotations

import ipaddress
import socket
from importlib.resources import files

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from .guard import Guard
from .page import theme

#: Names by which a browser on this computer reaches it.
_OWN_NAMES = ["127.0.0.1", "localhost", "[::1]"]


def application(page: gr.Blocks, max_body_bytes: int, is_local: bool) -> ASGIApp:
    """The page as an ASGI application.

    Parameters
    ----------
    page : gradio.Blocks
    max_body_bytes : int
    is_local : bool
        Whether only this computer may name it; other names are refused then, which other sites might have made to point here.
    """
    app = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css=files(__package__).joinpath("templates", "style.css").read_text(encoding="utf-8"),
    )
    guarded = Guard(app, max_body_bytes)
    return TrustedHostMiddleware(guarded, _OWN_NAMES) if is_local else guarded


def is_loopback(host: str) -> bool:
    """Whether an address is that of this computer only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    OSError
        If the port is taken or the host is not this computer's, with what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port}: {error.strerror}. Choose another with --port."
        ) from error


def address_of(listening: socket.socket) -> str:
    """Where a browser finds what listens."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def make_server(app: ASGIApp, is_behind_proxy: bool = False) -> uvicorn.Server:
    """A server that is not running yet.

    Parameters
    ----------
    app : ASGI application
    is_behind_proxy : bool
        Whether the proxy's word on who the visitor is counts.
    """
    settings = {"proxy_headers": is_behind_proxy, "forwarded_allow_ips": "*" if is_behind_proxy else None}
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=2, **settings)
    return uvicorn.Server(config)
