"""What the app answers to 500 hostile uploads, and whether it still works afterwards.

    python -m benchmarks.app_fuzz [--only KIND]

Starts ``app.py`` and sends it, one after the other, everything of ``benchmarks/hostile_photos.py``. An answer is a picture, or a sentence for the
visitor; a trace, text of the upload that reaches the page as HTML, silence, or an error without words is a failure. After every kind an ordinary
photo must be annotated as before.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx

from .app_client import RunningApp, Visitor, running_app, sent
from .hostile_photos import encoded, hostile_photos, hostile_requests, picture
from .report import machine_line, markdown_table

MESSAGE, PICTURE, REFUSED, FAILURE = "message", "picture", "refused", "failure"
OUTCOMES = (MESSAGE, PICTURE, REFUSED, FAILURE)
#: What must not reach the page.
_TRACE = re.compile(r"Traceback|File \"|site-packages")
_FOREIGN = ("script", "iframe", "object", "embed", "svg", "b")
_SENTENCE = re.compile(r"fh-message\"[^>]*>\s*\S")


@dataclass(frozen=True)
class Outcome:
    """What became of one upload."""

    kind: str
    what: str
    outcome: str
    seconds: float
    detail: str = ""


def uploads() -> Iterator[tuple[str, str, object]]:
    """Kind, description and what is sent."""
    for photo in hostile_photos():
        yield photo.kind, photo.what, sent(photo.name, photo.data)
    for request in hostile_requests():
        yield request.kind, request.what, request.payload
    yield "too large", "a request of 70 MB", sent("photo.jpg", bytes(53_000_000))


class _Page(HTMLParser):
    """Notes what an upload put into the page as HTML; the app's own has no scripts and no handlers."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.feed(shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        handlers = [name for name, _ in attrs if name.startswith("on")]
        self.foreign += [tag] * (tag in _FOREIGN) + handlers


def wrong_in(shown: str) -> str:
    """What must not be on a page, empty where nothing is."""
    found = _TRACE.search(shown)
    return found[0] if found else ", ".join(_Page(shown).foreign)


def try_one(visitor: Visitor, payload: object) -> tuple[str, str]:
    """The outcome of one upload, and what is wrong with it."""
    try:
        shown = visitor.press("annotate", payload, visitor.first_choice["Heads"])[0]
    except httpx.HTTPStatusError as error:
        return _refusal(error.response)
    except (httpx.HTTPError, RuntimeError) as error:
        return FAILURE, str(error)[:200]
    if wrong := wrong_in(shown):
        return FAILURE, f"{wrong} reached the page"
    if 'class="fh-photo"' in shown:
        return PICTURE, ""
    if _SENTENCE.search(shown):
        return MESSAGE, ""
    return FAILURE, f"no sentence: {shown[:200]}"


def _refusal(response: httpx.Response) -> tuple[str, str]:
    try:
        detail = response.json()["detail"]
    except (json.JSONDecodeError, KeyError):
        return FAILURE, f"{response.status_code} without words"
    return (FAILURE, str(detail)) if wrong_in(str(detail)) else (REFUSED, "")


def run(app: RunningApp, only: str | None) -> list[Outcome]:
    """The outcomes of all uploads."""
    outcomes: list[Outcome] = []
    with Visitor(app.url) as visitor:
        before = None
        for kind, what, payload in uploads():
            if only is not None and kind != only:
                continue
            if kind != before and not _works(visitor):
                raise SystemExit(f"after {before!r} an ordinary photo is not annotated any more.")
            before, start = kind, time.perf_counter()
            outcome, detail = try_one(visitor, payload)
            outcomes.append(Outcome(kind, what, outcome, time.perf_counter() - start, detail))
        if not _works(visitor):
            raise SystemExit(f"after {before!r} an ordinary photo is not annotated any more.")
    return outcomes


def _works(visitor: Visitor) -> bool:
    return try_one(visitor, sent("good.png", encoded(picture(), "PNG"))) == (PICTURE, "")


def table(outcomes: list[Outcome]) -> str:
    """Outcomes by kind."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        own = [one for one in outcomes if one.kind == kind]
        counts = [sum(one.outcome == outcome for one in own) for outcome in OUTCOMES]
        rows.append([kind, len(own), *counts, f"{max(one.seconds for one in own):.2f}"])
    totals = [sum(one.outcome == outcome for one in outcomes) for outcome in OUTCOMES]
    rows.append(["all", len(outcomes), *totals, f"{max(one.seconds for one in outcomes):.2f}"])
    return markdown_table(["kind", "uploads", *OUTCOMES, "slowest, s"], rows)


def main() -> int:
    """Run the benchmark; exit code 1 where an upload was not answered as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="KIND", help="send uploads of one kind only")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder), ["--rate", "0"]) as app:
        before = app.resident_bytes()
        outcomes = run(app, args.only)
        after = app.resident_bytes()
        left = [path.name for path in app.folder.rglob("*") if path.is_file()]
        traces = app.log.read_text(encoding="utf-8").count("Traceback")
    failures = [one for one in outcomes if one.outcome == FAILURE]
    for one in failures:
        print(f"FAILURE {one.kind}: {one.what}: {one.detail}")
    print(table(outcomes))
    print(
        f"\nmemory {before / 1e6:.0f} MB before, {after / 1e6:.0f} MB after; files left: {left}; traces in the log: {traces}"
    )
    print(machine_line())
    return int(bool(failures or left or traces))


if __name__ == "__main__":
    sys.exit(main())
