"""Downloads against a server on this machine that can cut connections, lie about sizes and ignore ranges."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile

import pytest

from faceheads import download as module
from faceheads.download import DownloadError, ExpectedFile, download, extract_member, sha256_of

CONTENT = bytes(range(256)) * 4000
EXPECTED = ExpectedFile(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``CONTENT`` as the path tells; every request's Range header is noted in ``server.ranges``."""

    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        behaviour = self.path.strip("/")
        if behaviour == "missing":
            return self.send_error(404)
        if behaviour == "downgrade":
            return self._redirect("http://example.invalid/file")
        if behaviour == "moved":
            return self._redirect("/whole")
        start = 0 if behaviour == "no_ranges" else self._start()
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start + (behaviour == 'other_range')}-{len(CONTENT) - 1}/*")
        if behaviour == "too_large":
            body += b"more"
        if behaviour not in ("endless", "unannounced"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(body, behaviour)

    def _start(self):
        return int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))

    def _redirect(self, location):
        self.send_response(302)
        self.send_header("Location", location)
        self.end_headers()

    def _send(self, body, behaviour):
        if behaviour == "cut_twice" and len(self.server.ranges) <= 2:
            body = body[:300_000]
        if behaviour == "always_cut":
            body = body[:1000]
        if behaviour == "endless":
            body = body * 3
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # the client has heard enough

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "weights.bin"


def part_of(target):
    return target.with_name("weights.bin.part")


def test_a_download_leaves_the_file_and_nothing_else(server, target):
    seen = []
    assert download(f"{server.url}/whole", target, EXPECTED, progress=lambda *at: seen.append(at)) == target
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_the_first_characters_of_a_sha256_are_compared_where_no_more_are_known(server, target):
    known = ExpectedFile(EXPECTED.sha256[:8], None)
    assert download(f"{server.url}/cut_twice", target, known).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=600000-"]
    target.unlink()
    with pytest.raises(DownloadError, match="must be 00000000; got"):
        download(f"{server.url}/whole", target, ExpectedFile("00000000", None))
    assert not target.exists()


def test_a_file_of_unknown_size_must_be_announced_and_small_enough(server, target, monkeypatch):
    with pytest.raises(DownloadError, match="the server must say how many; it says None"):
        download(f"{server.url}/unannounced", target, ExpectedFile("", None))
    monkeypatch.setattr(module, "MAX_UNSAID_BYTES", len(CONTENT) - 1)
    with pytest.raises(DownloadError, match=f"it says {len(CONTENT)}"):
        download(f"{server.url}/whole", target, ExpectedFile("", None))
    assert not target.exists()


def test_a_redirection_is_followed(server, target):
    assert download(f"{server.url}/moved", target, EXPECTED).read_bytes() == CONTENT


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(server, target):
    assert download(f"{server.url}/cut_twice", target, EXPECTED).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=600000-"]


def test_a_later_call_resumes_what_an_earlier_one_left(server, target):
    with pytest.raises(DownloadError, match="broke off 4 times; 4000 of 1024000 bytes are kept"):
        download(f"{server.url}/always_cut", target, EXPECTED)
    assert not target.exists()
    server.ranges.clear()
    assert download(f"{server.url}/whole", target, EXPECTED).read_bytes() == CONTENT
    assert server.ranges == ["bytes=4000-"]


def test_a_server_without_ranges_begins_anew(server, target):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT[:5000])
    assert download(f"{server.url}/no_ranges", target, EXPECTED).read_bytes() == CONTENT


def test_a_server_that_sends_another_range_is_refused(server, target):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT[:5000])
    with pytest.raises(DownloadError, match="another range"):
        download(f"{server.url}/other_range", target, EXPECTED)


def test_a_complete_but_unpublished_file_is_not_fetched_again(server, target):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT)
    assert download(f"{server.url}/whole", target, EXPECTED).read_bytes() == CONTENT
    assert server.ranges == []


@pytest.mark.parametrize("leftover", [b"wrong", CONTENT + b"too long", b"x" * len(CONTENT)])
def test_a_wrong_leftover_never_becomes_the_file(server, target, leftover):
    target.parent.mkdir()
    part_of(target).write_bytes(leftover)
    try:
        download(f"{server.url}/whole", target, EXPECTED)
    except DownloadError as error:
        assert "sha256" in str(error)
        assert not target.exists()
        download(f"{server.url}/whole", target, EXPECTED)
    assert target.read_bytes() == CONTENT


def test_a_file_with_another_hash_is_not_kept(server, target):
    wrong = ExpectedFile("0" * 64, len(CONTENT))
    with pytest.raises(DownloadError, match=f"must be {'0' * 64}; got {EXPECTED.sha256}"):
        download(f"{server.url}/whole", target, wrong)
    assert not target.exists()
    assert part_of(target).stat().st_size == 0


def test_a_file_announced_too_large_is_refused_before_it_is_read(server, target):
    with pytest.raises(DownloadError, match="must have 1024000 bytes; the server has 1024004"):
        download(f"{server.url}/too_large", target, EXPECTED)
    assert part_of(target).stat().st_size == 0


def test_a_file_that_turns_out_too_large_is_refused(server, target):
    with pytest.raises(DownloadError, match="more than the expected"):
        download(f"{server.url}/endless", target, EXPECTED)
    assert part_of(target).stat().st_size == 0


def test_a_server_that_announces_no_size_is_served(server, target):
    assert download(f"{server.url}/unannounced", target, EXPECTED).read_bytes() == CONTENT


def test_an_error_answer_names_the_address_and_the_code(server, target):
    with pytest.raises(DownloadError, match="/missing answered 404"):
        download(f"{server.url}/missing", target, EXPECTED)


def test_an_unreachable_server_is_an_error_that_names_the_address(server, target):
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match="127.0.0.1.*could not be reached"):
        download(f"{server.url}/whole", target, EXPECTED, timeout_s=2)


@pytest.mark.parametrize("url", ["http://example.invalid/file", "file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_only_https_is_fetched(target, url):
    with pytest.raises(DownloadError, match="https only"):
        download(url, target, EXPECTED)


def test_a_redirection_to_plain_http_elsewhere_is_refused(server, target):
    with pytest.raises(DownloadError, match="https only; got http://example.invalid"):
        download(f"{server.url}/downgrade", target, EXPECTED)


def test_a_second_process_is_turned_away(server, target):
    pytest.importorskip("fcntl", reason="file locks are used where the platform has fcntl")
    with module._part_of(target), pytest.raises(DownloadError, match="Another process"):
        download(f"{server.url}/whole", target, EXPECTED)


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/data/weights.bin", CONTENT)
    return path


def test_a_member_of_a_wheel_is_extracted(wheel, target):
    assert extract_member(wheel, "package/data/weights.bin", target, EXPECTED) == target
    assert sha256_of(target) == EXPECTED.sha256


@pytest.mark.parametrize(
    ("member", "expected", "message"),
    [
        ("package/data/other.bin", EXPECTED, "must be a wheel that holds"),
        ("package/data/weights.bin", ExpectedFile(EXPECTED.sha256, 5), "must have 5 bytes; got 1024000"),
        ("package/data/weights.bin", ExpectedFile("0" * 64, len(CONTENT)), "sha256"),
    ],
)
def test_a_wheel_without_the_expected_member_is_refused(wheel, target, member, expected, message):
    with pytest.raises(DownloadError, match=message):
        extract_member(wheel, member, target, expected)
    assert not target.exists()


def test_a_file_that_is_no_wheel_is_refused(tmp_path, target):
    (tmp_path / "no.whl").write_bytes(b"not a zip archive")
    with pytest.raises(DownloadError, match="must be a wheel"):
        extract_member(tmp_path / "no.whl", "package/data/weights.bin", target, EXPECTED)
