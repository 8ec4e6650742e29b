"""The app as its users start it: a process of its own, asked over HTTP."""

import ast
import re
from pathlib import Path

import httpx
import pytest

from benchmarks.app_client import Visitor, sent
from benchmarks.hostile_photos import encoded, picture
from features.webapp.cli import app_main, app_parser, examples_in
from features.webapp.server import address_of, bind, is_loopback

pytestmark = pytest.mark.data


@pytest.fixture
def visitor(app):
    with Visitor(app.url) as visitor:
        yield visitor


def heads_of(visitor):
    return visitor.first_choice["Heads"]


def kept_files(app):
    return [path for path in app.folder.rglob("*") if path.is_file()]


def test_the_photo_and_the_answer_leave_nothing_on_the_disk(app, visitor, group_photo):
    photo = sent("team.jpg", group_photo.read_bytes())
    html, explanation = visitor.press("annotate", photo, heads_of(visitor))
    assert re.search(r"<strong>\d+ faces</strong> in team.jpg", html)
    assert explanation == ""
    pair = visitor.press("compare", photo, photo, visitor.first_choice["Compared by"])[0]
    assert 'class="fh-answer match"' in pair
    assert kept_files(app) == []


def test_examples_are_named_by_their_number(visitor):
    assert "1 face</strong>" in visitor.press("annotate", {"example": 1}, heads_of(visitor))[0]
    assert "no such example" in visitor.press("annotate", {"example": 2}, heads_of(visitor))[0]


def test_what_is_wrong_is_told_without_a_trace(app, visitor):
    assert "is not a picture" in visitor.press("annotate", sent("a.jpg", b"hello"), heads_of(visitor))[0]
    assert (
        "has 4 MB; the page takes at most 3 MB"
        in visitor.press("annotate", sent("a.jpg", bytes(4_000_000)), heads_of(visitor))[0]
    )
    visitor.join("annotate", None, "heads that nobody offers").raise_for_status()
    answer = visitor.answer()
    assert not answer["success"]
    assert "Traceback" not in str(answer)
    assert "site-packages" not in str(answer)


def test_heads_that_nobody_offers_are_refused_in_words(visitor):
    photo = sent("a.png", encoded(picture(), "PNG"))
    for name, inputs in (("annotate", [photo]), ("compare", [photo, photo]), ("explain_pair", [photo, photo])):
        visitor.join(name, *inputs, "nobody").raise_for_status()
        assert visitor.answer()["output"]["error"].startswith("Value: nobody is not in the list of choices")


def test_everything_the_page_asks_for_goes_through_the_queue(app):
    """The guard lets nothing else in: what is not queued is asked for at /gradio_api/run."""
    asked = httpx.get(f"{app.url}/config").json()["dependencies"]
    assert [one["api_name"] for one in asked if one["queue"] is False] == []


def test_gradios_own_ways_to_leave_a_file_are_closed(app):
    for path in ("upload", "process_recording"):
        answer = httpx.post(f"{app.url}/gradio_api/{path}", files={"files": ("a.jpg", encoded(picture(), "JPEG"))})
        assert answer.status_code == 404
    assert kept_files(app) == []


def test_a_request_cannot_make_the_server_keep_one_of_its_own_files(app, visitor):
    """Gradio copies what such an object names, where it is not stopped."""
    for path in ("/etc/passwd", "http://127.0.0.1:9/a.jpg"):
        answer = visitor.join("annotate", {"path": path, "meta": {"_type": "gradio.FileData"}}, heads_of(visitor))
        assert answer.status_code == 422
    assert kept_files(app) == []


def test_requests_that_are_too_large_are_not_read(app):
    answer = httpx.post(f"{app.url}/gradio_api/queue/join", content=bytes(65_000_000))
    assert (answer.status_code, answer.json()["detail"]) == (413, "The request is too large: 65 MB, at most 64 MB.")


def test_another_name_for_this_computer_is_refused(app):
    assert httpx.get(app.url, headers={"host": "evil.example"}).status_code == 400
    assert httpx.get(app.url).headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize(
    ("host", "is_own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_who_listens_on_this_computer_only_is_known(host, is_own):
    assert is_loopback(host) is is_own


def test_a_port_that_is_taken_is_told(capsys):
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert address_of(listening) == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port}: .* Choose another with --port"):
            bind("127.0.0.1", port)


def test_examples_must_be_photos(tmp_path):
    with pytest.raises(ValueError, match="--examples must be a folder of photos"):
        examples_in(tmp_path)


def test_the_options_are_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        app_main(["--help"])
    assert "--threshold T.json" in capsys.readouterr().out


def test_what_cannot_be_offered_ends_the_app_with_a_sentence(capsys, monkeypatch):
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")  # the app sets them, and they are put back
    assert app_main(["--port", "0", "--threshold", "nowhere.json"]) == 2
    assert capsys.readouterr().err.startswith("app.py: There is no readable threshold file at nowhere.json")


def test_the_space_asks_for_options_that_there_are():
    source = (Path(__file__).parents[3] / "packaging" / "space" / "app.py").read_text(encoding="utf-8")
    (options,) = [ast.literal_eval(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.List)]
    args = app_parser().parse_args(options)
    assert (args.host, args.port, args.behind_proxy) == ("0.0.0.0", 7860, True)
