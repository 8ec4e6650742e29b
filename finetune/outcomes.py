"""What the network of the best epoch decides of each row of the validation part: ``validation.csv``.

The columns are ``key`` (of the face), ``group`` (rows of one person or photo share a number) and, for each figure that is a
mean over rows, what it is the mean of. Intervals come from them, and comparisons of networks on the same rows. Figures of
pairs, such as an EER, are no such means; a task that has no others writes no file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from faceheads.atomic import write_text
from faceheads.metrics.intervals import Estimate, GroupBootstrap

from .checkpoint import load_state
from .evaluation import Evaluator
from .examples import Examples
from .execution import Execution
from .loop import BEST
from .model import Model
from .training_set import TrainingSet

OUTCOMES = "validation.csv"
_KEY, _GROUP = "key", "group"


def best_embedding(folder: Path, training: TrainingSet, model: Model, device: torch.device) -> Tensor:
    """Embeddings of the validation part by the best weights of a training, of shape (n_validation, dimension).

    Parameters
    ----------
    folder : Path
        Of the training.
    training : TrainingSet
    model : Model
        Gets the weights of the best epoch, those of the task too.
    device : torch.device
    """
    best = load_state(folder / BEST)
    model.network.load_state_dict(best["network"])
    model.task.load_state_dict(best["task"])
    rows = np.flatnonzero(training.is_validation)
    examples = Examples(training.crops.pixels, training.crop_row, rows, batches_of=lambda epoch: np.empty((0, 0), int))
    return Evaluator(examples, Execution(device)).embed(model.to(device), rows)


@torch.inference_mode()
def write_outcomes(folder: Path, training: TrainingSet, model: Model, embedding: Tensor) -> None:
    """Write the file of a training.

    Parameters
    ----------
    folder : Path
    training : TrainingSet
    model : Model
        With the best weights.
    embedding : Tensor of shape (n_validation, dimension)
        As :func:`best_embedding` gave it.
    """
    rows = np.flatnonzero(training.is_validation)
    numbers = model.eval().task.outcomes(embedding, torch.from_numpy(rows).to(embedding.device))
    if numbers:
        keys = training.keys
        told = {name: values.cpu().numpy() for name, values in numbers.items()}
        frame = pd.DataFrame({_KEY: [keys[row] for row in rows], _GROUP: training.groups[rows], **told})
        write_text(folder / OUTCOMES, frame.to_csv(index=False, lineterminator="\n"))


def estimates(folder: Path) -> dict[str, Estimate]:
    """The figures of a training that are means over rows, with 95 % intervals; none where there is no file.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    path = folder / OUTCOMES
    if not path.is_file():
        return {}
    try:
        frame = pd.read_csv(path, index_col=_KEY)
        draws = GroupBootstrap(frame.pop(_GROUP).to_numpy())
        return {
            str(name): draws.of_mean(values.to_numpy(float), is_proportion=bool(values.isin((0, 1)).all())).estimate()
            for name, values in frame.items()
        }
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} must be what python -m finetune wrote; it is damaged ({error}).") from error
