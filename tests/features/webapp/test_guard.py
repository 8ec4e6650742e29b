"""What reaches gradio, by a stand-in that answers everything."""

import asyncio
import json

import pytest

from features.webapp.guard import Guard


async def everything(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": b"reached"})


async def echo(scope, receive, send):
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def ask(method, path, headers=(), kind="http", body=b'{"data": []}', app=everything):
    """Return status, headers and body of the answer; None where there is none."""
    said = []
    pieces = [{"body": body[:5], "more_body": True}, {"body": body[5:]}]

    async def receive():
        return {"type": "http.request", **pieces.pop(0)}

    async def send(message):
        said.append(message)

    scope = {"type": kind, "method": method, "path": path, "headers": list(headers)}
    asyncio.run(Guard(app, 100)(scope, receive, send))
    return (said[0]["status"], dict(said[0]["headers"]), said[1]["body"]) if said else None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index-1.js",
        "/static/fonts/a.woff2",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/ab1",
    ],
)
def test_what_the_page_needs_is_passed_on(path):
    assert ask("GET", path)[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/run/annotate"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/vibe-edit/"),
        ("POST", "/login"),
        ("POST", "/"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1/"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/runs"),
        ("GET", "/monitoring"),
        ("GET", "/config/../upload"),
        ("GET", "/\n"),
        ("PUT", "/"),
        ("DELETE", "/config"),
    ],
)
def test_nothing_else_is(method, path):
    status, _, body = ask(method, path)
    assert (status, json.loads(body)) == (404, {"detail": "There is nothing at this address."})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-length", b"100")], 200),
        ([(b"content-length", b"101")], 413),
        ([(b"content-length", b"-1")], 411),
        ([(b"transfer-encoding", b"chunked")], 411),
    ],
)
def test_a_body_must_state_that_it_is_small_enough(headers, status):
    assert ask("POST", "/gradio_api/queue/join", headers)[0] == status


def test_requests_without_photos_must_be_small():
    status, _, body = ask("POST", "/gradio_api/cancel", [(b"content-length", b"10001")])
    assert (status, json.loads(body)["detail"]) == (413, "The request is too large: 0 MB, at most 0.01 MB.")


def test_a_request_for_work_is_read_and_passed_on_as_it_was():
    body = b'{"data": ["a", {"name": "a.jpg", "data": "data:"}], "fn_index": 1}'
    assert ask("POST", "/gradio_api/queue/join", [(b"content-length", b"66")], body=body, app=echo)[2] == body


def test_a_request_that_names_a_file_does_not_reach_gradio():
    body = b'{"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]}'
    status, _, answer = ask("POST", "/gradio_api/queue/join", [(b"content-length", b"74")], body=body)
    assert status == 422
    assert "photos with a name and data" in json.loads(answer)["detail"]


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_every_answer_keeps_the_browser_away_from_other_hosts(path):
    headers = ask("GET", path)[1]
    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy
    assert "*" not in policy
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_web_sockets_are_not_passed_on():
    assert ask("GET", "/", kind="websocket") is None
