"""The part of the page that photos are chosen with: files, a drop, the clipboard, the camera, examples."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import gradio as gr
from PIL import Image

from faceheads.images.reading import read_image

from . import encoding
from .limits import Limits
from .rendering import environment

_EXAMPLE_PX = 128


@dataclass(frozen=True)
class Example:
    """A photo that the page offers: its name and the address of a small picture of it."""

    name: str
    thumbnail: str

    @classmethod
    def of(cls, path: Path) -> Example:
        """The example in a file.

        Raises
        ------
        faceheads.images.unreadable.UnreadableImage
        """
        image = Image.fromarray(read_image(path).rgb)
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 8  # heads are near the top
        small = image.crop((left, top, left + side, top + side)).resize((_EXAMPLE_PX, _EXAMPLE_PX))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=85)
        return cls(path.name, encoding.jpeg(file.getvalue()))


def photo_picker(label: str, limits: Limits, examples: Sequence[Example], is_multiple: bool = False) -> gr.HTML:
    """What chooses one photo or several; its value is what :class:`~features.webapp.photo.PhotoReader` takes.

    Gradio's own component for pictures uploads them into files, and a subclass of a component makes gradio write a stub beside its source.

    Parameters
    ----------
    label : str
    limits : Limits
    examples : sequence of Example
    is_multiple : bool
    """
    html = environment().get_template("picker.html")
    shown = html.render(
        label=label,
        limits=limits,
        max_total_bytes=limits.request_bytes - limits.request_bytes // 8,
        examples=examples,
        is_multiple=is_multiple,
    )
    return gr.HTML(html_template=shown, js_on_load=script("picker.js"), apply_default_css=False)


def script(name: str) -> str:
    """A script of this package."""
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
