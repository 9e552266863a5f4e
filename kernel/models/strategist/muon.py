"""Muon (Jordan et al., 2024) for many small matrices: those of one shape are orthogonalised together."""

import math
from collections import defaultdict

import torch

#: Of the Newton-Schulz iteration, as in `torch.optim.Muon`.
COEFFICIENTS = (3.4445, -4.775, 2.0315)
STEPS = 5


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """About the nearest matrices with singular values of 1: (count, rows, columns), in bfloat16."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    turned = x.shape[1] > x.shape[2]
    if turned:
        x = x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if turned else x


class Muon(torch.optim.Optimizer):
    """
    Gives what `torch.optim.Muon` gives with `adjust_lr_fn="match_rms_adamw"`, so
    that a learning rate of AdamW fits; with a few launches for each shape
    instead of for each matrix.
    """

    def __init__(self, matrices, lr: float, weight_decay: float, momentum: float = 0.95):
        shapes = defaultdict(list)
        for matrix in matrices:
            shapes[matrix.shape].append(matrix)
        super().__init__([{"params": list_} for list_ in shapes.values()], dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            params, lr, momentum = group["params"], group["lr"], group["momentum"]
            gradients = torch.stack([p.grad for p in params])
            state = self.state[params[0]]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(gradients)
            state["momentum"].lerp_(gradients, 1 - momentum)
            updates = orthogonal(gradients.lerp(state["momentum"], momentum)).to(gradients.dtype)
            torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
            torch._foreach_add_(params, list(updates), alpha=-lr * 0.2 * math.sqrt(max(params[0].shape)))
