"""A file from the network that is the right file: resumed, bounded, checked, and only then renamed into place.

What lies under the target name is complete and of the expected sha256, or not there at all. What has been received of
an unfinished file waits beside it as ``NAME.part``, and the next call goes on from there.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

#: Bytes read at a time.
CHUNK_BYTES = 1 << 18
#: How often a connection that breaks off is taken up again before the download is given up.
ATTEMPTS = 4
#: Largest file of a size that nobody said before.
MAX_UNSAID_BYTES = 1 << 30
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

#: Called with the bytes received so far and the bytes of the whole file.
Progress = Callable[[int, int], None]


class DownloadError(OSError):
    """A file could not be fetched, or what came is not that file."""


@dataclass(frozen=True)
class ExpectedFile:
    """A file by its content.

    Attributes
    ----------
    sha256 : str
        64 hexadecimal characters, or as many of the first ones as its publisher tells.
    size_bytes : int or None
        None where its publisher does not tell: then it is what the server says, ``MAX_UNSAID_BYTES`` at most.
    """

    sha256: str
    size_bytes: int | None


def download(
    url: str, target: Path, expected: ExpectedFile, *, timeout_s: float = 30.0, progress: Progress | None = None
) -> Path:
    """The path ``target``, which now holds the expected file.

    Parameters
    ----------
    url : str
        ``https`` address; plain ``http`` is accepted from this machine itself only, also after a redirection.
    target : Path
        Where the file comes to lie; its folder is made.
    expected : ExpectedFile
        Nothing beyond its size is kept.
    timeout_s : float, default 30
        Seconds of silence after which a connection counts as broken.
    progress : callable, optional
        Called with the bytes received so far and the bytes of the whole file.

    Raises
    ------
    DownloadError
        If the address cannot be reached or answers with an error, the connection breaks off repeatedly, the file is
        larger than expected, or its sha256 differs. Nothing lies under the target name then.
    """
    _require_https(url)
    with _part_of(target) as file:
        transfer = _Transfer(url, file, expected, timeout_s, progress)
        for _ in range(ATTEMPTS):
            transfer.receive()
            if transfer.is_complete:
                break
        else:
            raise DownloadError(
                f"{url} broke off {ATTEMPTS} times; {file.tell()} of {transfer.size_bytes} bytes are kept in "
                f"{file.name}. Call again to go on from there."
            )
        _verify(file, expected, url)
    return _publish(target)


def extract_member(archive: Path, member: str, target: Path, expected: ExpectedFile) -> Path:
    """The path ``target``, which now holds one file of a zip archive (a wheel is one).

    Raises
    ------
    DownloadError
        If the archive is none, has no such member, or the member is not the expected file.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            size_bytes = opened.getinfo(member).file_size
            if size_bytes != expected.size_bytes:
                raise DownloadError(f"{member} in {archive} must have {expected.size_bytes} bytes; got {size_bytes}.")
            content = opened.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(f"{archive} must be a wheel that holds {member}; got: {error}.") from error
    with _part_of(target) as file:
        _empty(file)
        file.write(content)
        _verify(file, expected, f"{member} in {archive}")
    return _publish(target)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, 64 hexadecimal characters."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_https(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        raise DownloadError(f"A file is fetched over https only; got {url}.")


class _HttpsOnlyRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass
class _Transfer:
    """One file on its way; ``file`` is open for appending and stands at its end."""

    url: str
    file: BinaryIO
    expected: ExpectedFile
    timeout_s: float
    progress: Progress | None
    size_bytes: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.size_bytes = self.expected.size_bytes

    @property
    def is_complete(self) -> bool:
        return self.file.tell() == self.size_bytes

    def receive(self) -> None:
        """Append what is missing, until the file is complete or the connection breaks off."""
        if self.size_bytes is not None and self.file.tell() > self.size_bytes:
            _empty(self.file)
        if self.is_complete:
            return
        try:
            with self._open() as response:
                self._start_where_the_answer_starts(response)
                self._copy(response)
        except urllib.error.HTTPError as error:
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise DownloadError(f"{self.url} answered {error.code} {error.reason}.") from error
            _empty(self.file)
        except (ConnectionError, TimeoutError, http.client.HTTPException):
            return  # broke off: the caller asks for the rest
        except urllib.error.URLError as error:
            raise DownloadError(f"{self.url} could not be reached: {error.reason}.") from error

    def _open(self) -> http.client.HTTPResponse:
        request = urllib.request.Request(self.url, headers={"User-Agent": "faceheads", "Accept-Encoding": "identity"})
        if self.file.tell():
            request.add_header("Range", f"bytes={self.file.tell()}-")
        return urllib.request.build_opener(_HttpsOnlyRedirects).open(request, timeout=self.timeout_s)

    def _start_where_the_answer_starts(self, response: http.client.HTTPResponse) -> None:
        """Forget what was received before if the server sends the whole file; refuse a file of another size."""
        content_range = str(response.headers.get("Content-Range"))
        if response.status != http.client.PARTIAL_CONTENT:
            _empty(self.file)
        elif not content_range.startswith(f"bytes {self.file.tell()}-"):
            raise DownloadError(f"{self.url} sent another range than the one asked for: {content_range}.")
        length = response.headers.get("Content-Length")
        announced = self.size_bytes if length is None else self.file.tell() + int(length)
        if self.size_bytes is None:
            self.size_bytes = self._bounded(announced)
        elif announced != self.size_bytes:
            raise DownloadError(f"{self.url} must have {self.size_bytes} bytes; the server has {announced}.")

    def _bounded(self, announced: int | None) -> int:
        if announced is None or announced > MAX_UNSAID_BYTES:
            raise DownloadError(
                f"{self.url} must have {MAX_UNSAID_BYTES} bytes at most, and the server must say how many; it says {announced}."
            )
        return announced

    def _copy(self, response: http.client.HTTPResponse) -> None:
        while chunk := response.read(CHUNK_BYTES):
            if self.file.tell() + len(chunk) > self.size_bytes:
                _empty(self.file)
                raise DownloadError(f"{self.url} sent more than the expected {self.size_bytes} bytes.")
            self.file.write(chunk)
            if self.progress is not None:
                self.progress(self.file.tell(), self.size_bytes)


@contextmanager
def _part_of(target: Path) -> Iterator[BinaryIO]:
    """The unfinished file, open for appending; a second process that wants it at the same time is turned away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(_part_path(target), "a+b") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: two downloads at once garble the file, which its sha256 tells
            pass
        except BlockingIOError as error:
            raise DownloadError(f"Another process is writing {file.name}. Wait until it has finished.") from error
        file.seek(0, os.SEEK_END)
        yield file


def _part_path(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _verify(file: BinaryIO, expected: ExpectedFile, origin: str) -> None:
    """Write the file out and compare its sha256; empty it if it is the wrong one, so that the next try begins anew."""
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(expected.sha256):
        _empty(file)
        raise DownloadError(f"sha256 of {origin} must be {expected.sha256}; got {found}. It was not kept.")


def _publish(target: Path) -> Path:
    os.replace(_part_path(target), target)
    return target
