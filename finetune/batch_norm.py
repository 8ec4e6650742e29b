"""Batch normalisation over the whole batch where several processes have a share of it each."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

#: What timm puts behind a normalisation inside the same module.
_BEHIND = ("drop", "act")
_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class SynchronisedBatchNorm(nn.SyncBatchNorm):
    """:class:`torch.nn.SyncBatchNorm`, which knows GPUs only, also for CPUs.

    Parameters
    ----------
    plain : nn.Module
        The normalisation that it takes the place of, whose parameters and averages become its own.
    """

    def __init__(self, plain: nn.Module) -> None:
        super().__init__(plain.num_features, plain.eps, plain.momentum, plain.affine, plain.track_running_stats)
        self.train(plain.training)
        self.weight, self.bias = plain.weight, plain.bias
        self.running_mean, self.running_var = plain.running_mean, plain.running_var
        self.num_batches_tracked = plain.num_batches_tracked
        for name in _BEHIND:
            setattr(self, name, getattr(plain, name, nn.Identity()))

    def forward(self, x: Tensor) -> Tensor:
        """Numbers of mean 0 and variance 1 over the batches of all processes, then scaled and shifted."""
        x = self._normalised_on_cpu(x) if self.training and x.device.type == "cpu" else super().forward(x)
        return self.act(self.drop(x))

    def _normalised_on_cpu(self, x: Tensor) -> Tensor:
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        others = [0, *range(2, x.ndim)]
        count = _sum_over_processes(x.new_tensor(float(x.numel() // x.shape[1])))
        mean = _sum_over_processes(x.sum(others)) / count
        centred = x - mean.view(shape)
        variance = _sum_over_processes((centred**2).sum(others)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        normalised = centred * (variance + self.eps).rsqrt().view(shape)
        return normalised if self.weight is None else normalised * self.weight.view(shape) + self.bias.view(shape)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the averages that evaluation uses."""
        if self.running_mean is None:
            return
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.item()
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class _SumOverProcesses(torch.autograd.Function):
    """A sum over processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(_ctx: object, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: object, gradient: Tensor) -> Tensor:
        return _SumOverProcesses.apply(gradient.contiguous())


_sum_over_processes = _SumOverProcesses.apply


def synchronise(module: nn.Module) -> None:
    """Put :class:`SynchronisedBatchNorm` in the place of every batch normalisation inside a module.

    Raises
    ------
    ValueError
        If there is a kind of batch normalisation that is not known.
    """
    for name, child in module.named_children():
        is_known = type(child) in _NORMALISATIONS or all(hasattr(child, behind) for behind in _BEHIND)
        if not isinstance(child, _NORMALISATIONS):
            synchronise(child)
        elif is_known:
            setattr(module, name, SynchronisedBatchNorm(child))
        else:
            raise ValueError(
                f"{type(child).__name__} cannot be computed over several processes. Train in one, without torchrun."
            )
