"""Tables of face embeddings in, decisions with known errors out.

``faceheads`` never looks at a picture: it reads the feature tables that ``features`` writes, trains
scikit-learn heads on them, measures them and keeps them on disk. Importing it touches neither disk nor network.
"""

from importlib import import_module

__version__ = "0.1.0"

#: Public names and the module that each comes from; imported when first used, so that ``import faceheads`` stays light.
_EXPORTS = {
    "FaceTable": "table",
    "HeadFile": "headfile",
    "TrainingOptions": "training",
    "load_heads": "store",
    "load_table": "quick",
    "read_labels": "labels",
    "read_table": "table_io",
    "save_heads": "store",
    "train_heads": "training",
}


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
