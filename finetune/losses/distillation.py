"""How far embeddings are from those of another network for the same faces.

References
----------
G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015, arXiv 1503.02531.
A. Romero and others, FitNets: hints for thin deep nets, ICLR 2015, equation 3 (numbers of a layer as targets, through a map
where their count differs).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

KINDS = ("cosine", "mse")


def distances(embedding: Tensor, teacher: Tensor, kind: str) -> Tensor:
    """1 − cosine, or the squared Euclidean distance, of each row; shape (n,).

    Parameters
    ----------
    embedding, teacher : Tensor of shape (n, dimension)
    kind : {"cosine", "mse"}

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    embedding, teacher = embedding.float(), teacher.float()
    if kind == "cosine":
        return 1 - F.cosine_similarity(embedding, teacher)
    if kind == "mse":
        return ((embedding - teacher) ** 2).sum(1)
    raise ValueError(f"the distance from the teacher must be one of {list(KINDS)}; got {kind!r}.")
