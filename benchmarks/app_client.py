"""The app as a process of its own, and a visitor who presses its buttons without a browser."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

_REPOSITORY = Path(__file__).resolve().parents[1]
_READY = re.compile(r"faceheads: (http://\S+)")
SECONDS_TO_START = 120
#: Of one answer.
_TIMEOUT_S = 120


@dataclass(frozen=True)
class RunningApp:
    """A server that runs.

    Attributes
    ----------
    url : str
    pid : int
    folder : Path
        Of its temporary files.
    log : Path
        What it says.
    """

    url: str
    pid: int
    folder: Path
    log: Path

    def resident_bytes(self) -> int:
        """Memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running_app(folder: Path, options: Sequence[str] = ()) -> Iterator[RunningApp]:
    """Start ``app.py`` on a free port and end it with the block.

    Parameters
    ----------
    folder : Path
        For its temporary files, and what it says.
    options : sequence of str
        Of ``app.py``.

    Raises
    ------
    RuntimeError
        If it does not start.
    """
    temporary, log = folder / "tmp", folder / "app.log"
    temporary.mkdir(parents=True)
    command = [sys.executable, str(_REPOSITORY / "app.py"), "--port", "0", *options]
    with open(log, "w", encoding="utf-8") as said:
        environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, cwd=_REPOSITORY, stdout=said, stderr=said, env=environment)
        try:
            yield RunningApp(_url(process, log), process.pid, temporary, log)
        finally:
            process.terminate()
            process.wait()


def _url(process: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        found = _READY.search(log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the app did not start:\n{log.read_text(encoding='utf-8')}")


def sent(name: str, data: bytes, media_type: str = "image/jpeg") -> dict:
    """A photo as the page sends it."""
    return {"name": name, "data": f"data:{media_type};base64,{base64.b64encode(data).decode()}"}


class Visitor:
    """Presses buttons; use it as a context manager.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
        config = self._http.get("/config").raise_for_status().json()
        self._functions = {d["api_name"]: d["id"] for d in config["dependencies"] if d.get("api_name")}
        #: What can be chosen first, by the label of the choice.
        self.first_choice = {
            c["props"]["label"]: c["props"]["value"] for c in config["components"] if c["type"] == "dropdown"
        }
        self._session = uuid.uuid4().hex[:12]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def join(self, name: str, *inputs: object, event: object = None) -> httpx.Response:
        """Ask for something; the answer comes with :meth:`answer`."""
        body = {"data": inputs, "fn_index": self._functions[name], "session_hash": self._session, "event_data": event}
        headers = {"content-type": "application/json"}
        return self._http.post("/gradio_api/queue/join", content=json.dumps(body), headers=headers)

    def press(self, name: str, *inputs: object) -> list[str]:
        """What an endpoint gives.

        Raises
        ------
        httpx.HTTPStatusError
            If the request is not taken.
        RuntimeError
            If it fails.
        """
        self.join(name, *inputs).raise_for_status()
        message = self.answer()
        if not message["success"]:
            raise RuntimeError(f"the app gave no answer: {message}")
        return message["output"]["data"]

    def answer(self) -> dict:
        """The last message about what was asked for.

        Raises
        ------
        RuntimeError
            If the stream ends before.
        """
        with self._http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as stream:
            for message in _messages(stream.iter_lines()):
                if message["msg"] == "process_completed":
                    return message
        raise RuntimeError("the app ended the conversation without an answer.")


def _messages(lines: Iterator[str]) -> Iterator[dict]:
    for line in itertools.filterfalse(lambda line: not line.startswith("data:"), lines):
        yield json.loads(line.removeprefix("data:"))
