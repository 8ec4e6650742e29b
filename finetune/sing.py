"""SING: AdamW on gradients that are standardised layer by layer, so that no layer's gradients drown those of another.

Left out is the averaging of weights every few steps that the authors' own program does besides:
:class:`finetune.optimisation.AveragedWeights` does that here for every optimiser.

References
----------
A. Courtois and others, SING: a plug-and-play DNN learning technique, 2023, arXiv 2305.15997 (the standardisation).
H. Yong and others, Gradient centralization, ECCV 2020 (the mean that is subtracted).
Q. Tong, G. Liang, J. Bi, Calibrating the adaptive learning rate to improve convergence of Adam, 2019, arXiv 1908.00700
(the softplus in place of a small constant).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

#: Keeps the standardisation of a gradient of nothing but 0 finite.
_TINY = 1e-8
#: Sharpness of the softplus; the authors' value. Near 0 it is log(2) / sharpness = 0.014, so gradients that were brought to
#: length 1 and are shared by many weights make steps in proportion to them, rather than all of one size as in Adam.
SHARPNESS = 50.0


class Sing(torch.optim.Optimizer):
    """SING with weight decay apart from the gradient, as in AdamW.

    In step t, for each tensor of weights w and its gradient g::

        g ← g − mean(g)             for each output (first axis), where it has more than one weight
        g ← g / ‖g‖                 over the whole tensor
        m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
        w ← w − lr · decay · w
        w ← w − lr · m / (1 − β₁ᵗ) / softplus(√(v / (1 − β₂ᵗ)))

    The length ‖g‖ is the standard deviation of a centred gradient but for the root of its number of weights.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float, default=5e-3
        The authors advise ten times that of AdamW.
    betas : tuple of two float
    weight_decay : float, default=0.0
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 5e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """Move every weight that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)
        return loss

    def _move(self, parameter: Tensor, group: dict) -> None:
        state = self.state[parameter]
        if not state:
            state.update(step=0, mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
        state["step"] += 1
        beta_1, beta_2 = group["betas"]
        gradient = standardised(parameter.grad)
        state["mean"].lerp_(gradient, 1 - beta_1)
        state["square"].mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)
        size = (state["square"] / (1 - beta_2 ** state["step"])).sqrt_()
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        step_size = group["lr"] / (1 - beta_1 ** state["step"])
        parameter.addcdiv_(state["mean"], F.softplus(size, beta=SHARPNESS), value=-step_size)


def standardised(gradient: Tensor) -> Tensor:
    """A gradient centred for each output and brought to length 1.

    Parameters
    ----------
    gradient : Tensor
        Of weights whose first axis counts outputs. Those with one axis (biases, factors), and those with one weight an
        output, are not centred, since nothing would be left of them.
    """
    if gradient.ndim > 1 and gradient[0].numel() > 1:
        gradient = gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)
    return gradient / (torch.linalg.vector_norm(gradient) + _TINY)
