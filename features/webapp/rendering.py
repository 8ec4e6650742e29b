"""Results as HTML: every text escaped, pictures inside."""

from __future__ import annotations

import functools
from pathlib import PurePath

import jinja2
from PIL import Image

from ..thumbnails import thumbnail
from . import encoding
from .annotating import AnnotatedPhoto
from .cards import Card
from .comparing import ComparedFace, Comparison
from .explaining import Explanation
from .grouping import GroupedFace, Groups
from .views import AnswerView, FaceView


@functools.cache
def environment() -> jinja2.Environment:
    """The templates of this package."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, **values: object) -> str:
    return environment().get_template(template).render(**values)


def message(text: str) -> str:
    """What went wrong."""
    return _render("message.html", text=text)


def card(shown: Card) -> str:
    """The card of a choice."""
    return _render("card.html", card=shown)


def annotated(result: AnnotatedPhoto) -> str:
    """A photo with the table of its faces and what can be downloaded."""
    image = Image.fromarray(result.photo.rgb)
    faces = [
        FaceView.of(i, face, encoding.jpeg(thumbnail(image, face.face.box_xyxy)), result.choice.file)
        for i, face in enumerate(result.faces)
    ]
    return _render(
        "faces.html",
        photo=result.photo,
        stem=PurePath(result.photo.name).stem,
        picture=encoding.png(result.picture()),
        faces=faces,
        csv=encoding.text(result.to_csv(), "text/csv"),
        json=encoding.text(result.to_json(), "application/json"),
    )


def compared(result: Comparison) -> str:
    """What a comparison says, with the two faces."""
    faces = [
        (title, _shown(face)) for title, face in (("First photo", result.probe), ("Second photo", result.reference))
    ]
    return _render("comparison.html", answer=AnswerView.of(result), faces=faces)


def _shown(face: ComparedFace) -> dict:
    picture = encoding.jpeg(thumbnail(Image.fromarray(face.photo.rgb), face.face.box_xyxy))
    return {"picture": picture, "name": face.photo.name, "n_faces": face.n_faces}


def explained(*explanations: Explanation) -> str:
    """Maps of pixels."""
    return _render("explanation.html", explanations=[(one, encoding.png(one.picture)) for one in explanations])


def grouped(groups: Groups) -> str:
    """The people on some photos: first those who were seen several times."""
    people = [[_tile(groups, face) for face in faces] for faces in groups.people]
    return _render(
        "groups.html",
        groups=groups,
        several=[tiles for tiles in people if len(tiles) > 1],
        once=[tiles[0] for tiles in people if len(tiles) == 1],
        problems=[(photo.name, photo.problem) for photo in groups.photos if photo.problem],
        csv=encoding.text(groups.to_csv(), "text/csv"),
    )


def _tile(groups: Groups, face: GroupedFace) -> tuple[str, str]:
    photo = groups.photos[face.photo]
    return encoding.jpeg(photo.thumbnails[face.number]), photo.name
