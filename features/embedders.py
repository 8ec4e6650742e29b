"""What turns crops into vectors: one protocol for every network, in batches, on CPU or GPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from faceheads.spec import EmbedderSpec
from faceheads.weights import find_weights

if TYPE_CHECKING:
    import torch


class Embedder(Protocol):
    """What turns crops into vectors."""

    spec: EmbedderSpec

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, dimension), float32, of crops (n_crops, height, width, 3), uint8, RGB."""
        ...


class TorchEmbedder:
    """A torch network as an embedder.

    Parameters
    ----------
    spec : EmbedderSpec
    make_module : callable
        Makes the torch.nn.Module when the first crops come. It is called with crops (n, 3, height, width), uint8, RGB,
        and the layers; gives (n, dimension).
    device : str
    batch_size : int
        Crops of one pass; halved, with a warning, when the device's memory is too small for so many.
    """

    def __init__(
        self, spec: EmbedderSpec, make_module: Callable[[], torch.nn.Module], device: str, batch_size: int
    ) -> None:
        self.spec = spec
        self._make_module = make_module
        self._device_name = device
        self._batch_size = batch_size

    @cached_property
    def module(self) -> torch.nn.Module:
        """The network on its device, in evaluation mode: crops (n, 3, height, width), RGB from 0 to 255, and layers in."""
        return self._make_module().eval().requires_grad_(False).to(self._device)

    @cached_property
    def _device(self) -> torch.device:
        import torch

        return torch.device(self._device_name)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, dimension), float32.

        Raises
        ------
        torch.OutOfMemoryError
            If the device's memory is too small for a single crop.
        """
        while (vectors := self._embed_if_it_fits(crops)) is None:
            self._halve_batches()
        return vectors

    def _embed_if_it_fits(self, crops: np.ndarray) -> np.ndarray | None:
        """The embeddings, None where the device's memory is too small; what was computed there is free again."""
        import torch

        try:
            return embed_in_batches(self._run, crops, self._batch_size, self.spec)
        except torch.cuda.OutOfMemoryError:
            if self._batch_size == 1:
                raise
            return None

    def _halve_batches(self) -> None:
        import torch

        torch.cuda.empty_cache()  # nothing happens where CUDA was not used
        half = self._batch_size // 2
        warnings.warn(
            f"The memory of {self._device_name} is too small for batches of {self._batch_size} crops; going on with "
            f"{half} (--batch_size {half}).",
            RuntimeWarning,
            stacklevel=2,
        )
        self._batch_size = half

    def _run(self, crops: np.ndarray) -> np.ndarray:
        import torch

        from faceheads.networks.precision import full_float32

        module = self.module  # weights made in inference mode could not be differentiated through
        with full_float32(self._device), torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device).permute(0, 3, 1, 2)
            return module(batch, self.spec.layers).float().cpu().numpy()


class DlibReferenceEmbedder:
    """dlib's own embedding network, one crop at a time: what the torch version is compared with."""

    def __init__(self, spec: EmbedderSpec) -> None:
        import dlib

        self.spec = spec
        self._network = dlib.face_recognition_model_v1(str(find_weights("dlib_resnet")))

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, 128), float32."""
        return embed_in_batches(self._run, crops, 1, self.spec)

    def _run(self, crops: np.ndarray) -> np.ndarray:
        return np.array([self._network.compute_face_descriptor(np.ascontiguousarray(crop)) for crop in crops])


class ArrayEmbedder:
    """A network that takes and gives arrays as an embedder: a foreign one in ONNX form, or one in OpenVINO.

    ``make_network`` makes it when the first crops come.
    """

    def __init__(
        self, spec: EmbedderSpec, make_network: Callable[[], Callable[[np.ndarray], np.ndarray]], batch_size: int
    ) -> None:
        self.spec = spec
        self._make_network = make_network
        self._batch_size = batch_size

    @cached_property
    def _network(self) -> Callable[[np.ndarray], np.ndarray]:
        return self._make_network()

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, shape (n_crops, dimension), float32."""
        return embed_in_batches(self._network, crops, self._batch_size, self.spec)


def embed_in_batches(
    run: Callable[[np.ndarray], np.ndarray], crops: np.ndarray, batch_size: int, spec: EmbedderSpec
) -> np.ndarray:
    """Run a network over crops in batches, averaging over mirror images where the specification says so.

    Raises
    ------
    RuntimeError
        If the network gives another dimension than specified, or numbers that are not finite.
    """
    out = np.empty((len(crops), spec.dimension), np.float32)
    for start in range(0, len(crops), batch_size):
        batch = crops[start : start + batch_size]
        vectors = run(batch)
        if spec.flip:
            vectors = (vectors + run(batch[:, :, ::-1])) / 2
        if vectors.shape != (len(batch), spec.dimension):
            raise RuntimeError(f"the network gave an array of shape {vectors.shape}, not (n, {spec.dimension}).")
        out[start : start + len(batch)] = vectors
    if not np.isfinite(out).all():
        raise RuntimeError("the network gave numbers that are not finite.")
    return out
