"""The command ``app.py`` (``faceheads-app``): the page that annotates, compares and groups photos."""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from faceheads.command import run_command
from faceheads.extra import require_extra
from faceheads.pool import resolve_jobs, set_passive_wait

from ..folders import list_images
from ..options import natural
from ..patience import announced
from .limits import MEGABYTE, Limits
from .photo import PhotoReader

DEFAULT_PORT = 7860
#: Photos that a page shows as examples, at most.
MAX_EXAMPLES = 8
#: Where ``examples/demo.py`` puts its free photos.
_DEMO = Path(__file__).resolve().parents[2] / "demo" / "photos"
_PREPARING = "loading the networks; the first run compiles the detector and keeps it for later ones"


def app_parser() -> argparse.ArgumentParser:
    """The parser of ``app.py``."""
    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="A page in the browser that annotates the faces of a photo, says whether two photos show one person, groups photos by "
        "person, and shows which pixels decided. Photos are worked on in memory, not kept, and sent nowhere.",
        epilog="Predicting race or other sensitive attributes of people from their faces is banned or restricted for many uses "
        "(EU AI Act, Article 5).",
    )
    parser.add_argument(
        "--head",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="offer these heads too (train.py); repeatable",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        type=Path,
        metavar="T.json",
        help="compare by this threshold (verify.py); repeatable",
    )
    parser.add_argument(
        "--embedder",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="offer similarities of this embedder, with no claim; also where a network lies that heads need; repeatable",
    )
    parser.add_argument(
        "--examples", type=Path, metavar="DIR", help="photos to click (default: those of examples/demo.py, if it ran)"
    )
    group = parser.add_argument_group("server")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 for all (default: %(default)s, this computer only)",
    )
    group.add_argument("--port", type=natural, default=DEFAULT_PORT, help="0 for a free one (default: %(default)s)")
    group.add_argument(
        "--behind_proxy", action="store_true", help="visitors come through a proxy that says who they are"
    )
    group.add_argument("--jobs", type=int, help="photos in work at a time (default: one a core)")
    group.add_argument(
        "--max_mb",
        type=natural,
        default=limits.file_bytes // MEGABYTE,
        help="size of a photo's file in megabytes (default: %(default)s)",
    )
    group.add_argument(
        "--rate",
        type=natural,
        default=limits.photos_per_minute,
        metavar="N",
        help="photos a minute from one address; 0 for any number (default: %(default)s)",
    )
    return parser


def app_main(argv: Sequence[str] | None = None) -> int:
    """Run ``app.py`` until Ctrl-C; returns its exit code."""
    args = app_parser().parse_args(argv)
    return run_command("app.py", lambda: _serve(args))


def _serve(args: argparse.Namespace) -> int:
    set_passive_wait()
    with tempfile.TemporaryDirectory(prefix="faceheads-app-") as folder:
        use_gradio_quietly(Path(folder))
        require_extra("app", "The app", "gradio")
        from .models import Catalogue
        from .server import address_of, bind, make_server
        from .site import Site

        with bind(args.host, args.port) as listening:
            with announced(_PREPARING):
                catalogue = Catalogue.load(args.head, args.threshold, args.embedder)
                reader = PhotoReader(_limits(args), examples_in(args.examples))
                site = Site.of(catalogue, reader, resolve_jobs(args.jobs))
            server = make_server(site.application(args.host), args.behind_proxy)
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is temporary goes away then, too
            print(f"faceheads: {address_of(listening)} (Ctrl-C ends it)", flush=True)
            server.run(sockets=[listening])
            site.close()
    return 0


def use_gradio_quietly(folder: Path) -> None:
    """Before gradio is imported: no reports of use to its makers, and its temporary files in a folder that goes away."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)


def examples_in(folder: Path | None) -> tuple[Path, ...]:
    """The photos that the page offers.

    Raises
    ------
    ValueError
        If the folder that was named has none.
    """
    if folder is None and not _DEMO.is_dir():
        return ()
    root = _DEMO if folder is None else folder
    found = [root / name for name in (list_images(root) if root.is_dir() else [])]
    if folder is not None and not found:
        raise ValueError(f"--examples must be a folder of photos; there are none in {folder}.")
    return tuple(found[:MAX_EXAMPLES])


def _limits(args: argparse.Namespace) -> Limits:
    limits = Limits()
    file_bytes = max(1, args.max_mb) * MEGABYTE
    return replace(
        limits,
        file_bytes=file_bytes,
        request_bytes=max(limits.request_bytes, 3 * file_bytes),
        photos_per_minute=args.rate,
    )
