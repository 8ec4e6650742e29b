"""What only people know of a model: its data, their terms, what it is for and what it is not for.

References
----------
M. Mitchell et al., Model cards for model reporting, FAT* 2019.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

_MAX_BYTES = 2**16
_UNSAID = "not stated"


class CardError(ValueError):
    """A file with the words of a model card cannot be used; the message says what to write instead."""


@dataclass(frozen=True)
class ModelCard:
    """The words of a model card that no program can find out.

    Attributes
    ----------
    data : str
        What the photos and the labels are, and who made them.
    terms : str
        What they may be used for. A head is bound by the terms of its data.
    intended_use, excluded_use : str
    contact : str
    """

    data: str = _UNSAID
    terms: str = f"{_UNSAID}: a head is bound by the terms of its photos, of its labels and of the network below it"
    intended_use: str = (
        "to estimate what the labels' authors would have said of similar photos, with the errors that this report names; "
        "research and counting"
    )
    excluded_use: str = (
        "decisions about single persons; photos unlike those of the training part; claims about what a person is rather "
        "than how the labels describe it. Inferring race from faces is banned or restricted for many uses (EU AI Act, "
        "Article 5)"
    )
    contact: str = _UNSAID


#: What is said of a head where nobody says more.
UNSAID = ModelCard()


def read_card(path: Path, unsaid: ModelCard = UNSAID) -> ModelCard:
    """The card in a JSON file: an object with some of the attributes of :class:`ModelCard`, each a text.

    Parameters
    ----------
    path : Path
    unsaid : ModelCard
        What counts where the file says nothing.

    Raises
    ------
    CardError
        If the file cannot be read, is no such object, or is larger than 64 KiB.
    """
    names = [f.name for f in fields(ModelCard)]
    wanted = f"--card must be a JSON file with texts for some of {', '.join(names)}"
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise CardError(f"{wanted}, at most {_MAX_BYTES:,} bytes; {path} has {size:,}.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CardError(f"{wanted}; there is no file {path}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CardError(f"{wanted}; {path} is no JSON: {error}.") from error
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise CardError(f"{wanted}; {path} holds something else.")
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise CardError(f"{wanted}; {path} also has {unknown[:3]}.")
    return replace(unsaid, **values)
