import json

import pytest

from benchmarks.hostile_photos import hostile_requests
from features.webapp.request_shape import BadRequest, check_request

PHOTO = {"name": "a.jpg", "data": "data:"}


def request(*inputs, **changes):
    return json.dumps({"data": inputs, "fn_index": 1, "session_hash": "x", "event_data": None, **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request(PHOTO, "heads"),
        request({"example": 3}, None),
        request([PHOTO, {"example": 0}], "dlib", 1.5, True),
        request(PHOTO, event_data={"face": 0, "target": "gender"}),
        request(PHOTO, event_data=[]),
    ],
)
def test_what_the_page_sends_is_taken(body):
    check_request(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is no JSON"),
        (b"\xff", "is no JSON"),
        (b"[" * 200_000, "is no JSON"),
        (b"[]", "must have a list of inputs"),
        (b'{"data": {}}', "must have a list of inputs"),
        (request(*[1] * 11), "must have a list of inputs"),
        (request([[PHOTO]]), "photos with a name and data"),
        (request(["a"]), "photos with a name and data"),
        (request({**PHOTO, "meta": {}}), "photos with a name and data"),
        (request({"name": PHOTO}), "photos with a name and data"),
        (request({"example": True}), "photos with a name and data"),
        (request(event_data={"path": "x"}), "must name a face"),
        (request(event_data=[{"face": 1}]), "must name a face"),
        (request(trigger_id={"path": "x"}), "parts that the page does not send"),
    ],
)
def test_whatever_else_is_not(body, words):
    with pytest.raises(BadRequest, match=words):
        check_request(body)


def test_no_hostile_request_holds_an_object_that_names_a_file():
    for hostile in hostile_requests():
        if "gradio" in hostile.what:
            with pytest.raises(BadRequest):
                check_request(request(hostile.payload))


def test_escapes_do_not_hide_an_object():
    with pytest.raises(BadRequest):
        check_request(b'{"data": [{"\\u0070ath": "/etc/passwd", "\\u006deta": {"_type": "gradio.FileData"}}]}')
