"""What a request for work may hold: texts, numbers, and photos as the page sends them.

Gradio takes objects that name a file, or an address, for files that somebody uploaded: it copies, or fetches, what they name before any of our
code runs. So a request is read first, and such objects are refused; the page sends none.
"""

from __future__ import annotations

import json

#: The keys of a photo, and of an event of the page, with the types of their values.
_PHOTO = {"name": str, "data": str, "example": int}
_EVENT = {"face": int, "target": str}
_MAX_INPUTS = 10


class BadRequest(ValueError):
    """A request that the page does not send; the text says so."""


def check_request(body: bytes) -> None:
    """Refuse a body of ``queue/join`` that holds anything else than inputs and an event of the page.

    Raises
    ------
    BadRequest
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The request is no JSON.") from None
    if (
        not isinstance(request, dict)
        or not isinstance(request.get("data"), list)
        or len(request["data"]) > _MAX_INPUTS
    ):
        raise BadRequest("The request must have a list of inputs.")
    if not all(_is_input(value) for value in request["data"]):
        raise BadRequest("The inputs must be texts, and photos with a name and data.")
    if not _is_event(request.get("event_data")):
        raise BadRequest("The event must name a face and a target.")
    scalars = [value for name, value in request.items() if name not in ("data", "event_data")]
    if any(isinstance(value, dict | list) for value in scalars):
        raise BadRequest("The request has parts that the page does not send.")


def _is_input(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_object(item, _PHOTO) for item in value)
    return not isinstance(value, dict) or _is_object(value, _PHOTO)


def _is_event(value: object) -> bool:
    return value is None or value == [] or _is_object(value, _EVENT)


def _is_object(value: object, types: dict[str, type]) -> bool:
    """Whether a value is an object with some of these keys, each with its type."""
    return isinstance(value, dict) and all(
        name in types and isinstance(own, types[name]) and not isinstance(own, bool) for name, own in value.items()
    )
