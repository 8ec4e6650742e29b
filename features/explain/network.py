"""Embeddings of crops whose pixels are any numbers, and what each pixel does to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..embedders import Embedder, TorchEmbedder


class DifferentiableNetwork:
    """An embedder's network, differentiable in the pixels.

    Parameters
    ----------
    embedder : TorchEmbedder
        Jittered copies are not made: the crop itself is what is explained.

    Raises
    ------
    ValueError
        If the embedder does not run in torch.
    """

    def __init__(self, embedder: Embedder) -> None:
        if not isinstance(embedder, TorchEmbedder):
            raise ValueError(  # noqa: TRY004  (the user chose the embedder)
                f"Gradients need a network that runs in torch; {embedder.spec.network!r} runs elsewhere here. "
                "Explain by occlusion (--explain_by occlusion)."
            )
        self._embedder = embedder
        self.spec = embedder.spec

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, dimension), float32, of crops (n_crops, height, width, 3) from 0 to 255."""
        return self._run(np.asarray(crops, np.float32), None)[0]

    def embed_and_pull_back(
        self, crops: np.ndarray, direction: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings, and how every pixel moves them along a direction.

        Parameters
        ----------
        crops : array of shape (n_crops, height, width, 3)
            From 0 to 255.
        direction : callable
            Embeddings (n_crops, dimension) → directions of the same shape.

        Returns
        -------
        embeddings : ndarray of shape (n_crops, dimension), float32
        gradients : ndarray of shape (n_crops, height, width, 3), float32
            Of the sum over numbers of embedding times direction, for each crop.
        """
        return self._run(np.asarray(crops, np.float32), direction)

    def _run(
        self, crops: np.ndarray, direction: Callable[[np.ndarray], np.ndarray] | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        import torch

        device = next(self._embedder.module.parameters(), torch.empty(0)).device
        with torch.set_grad_enabled(direction is not None):
            pixels = torch.from_numpy(np.ascontiguousarray(crops)).to(device).requires_grad_(direction is not None)
            batch = pixels.permute(0, 3, 1, 2)
            vectors = self._embedder.module(batch, self.spec.layers)
            if self.spec.flip:
                vectors = (vectors + self._embedder.module(batch.flip(3), self.spec.layers)) / 2
            embeddings = vectors.detach().cpu().numpy()
            if direction is None:
                return embeddings, None
            towards = torch.as_tensor(np.asarray(direction(embeddings), np.float32), device=device)
            (gradient,) = torch.autograd.grad((vectors * towards).sum(), pixels)
        return embeddings, gradient.cpu().numpy()
