"""Values and gradients of expressions, by PyTorch."""

import torch
import torch.nn.functional as F  # noqa: F401 (used by the expressions)
from peer import serve

torch.set_num_threads(1)


def rms_norm(x, weight, epsilon):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def rotary(x, positions, frequencies, factor, heads):
    rows, width = x.shape
    angles = torch.cat([positions[:, None] * frequencies] * 2, -1)[:, None]
    cos, sin = angles.cos() * factor, angles.sin() * factor
    x = x.view(rows, heads, width // heads)
    first, second = x.chunk(2, -1)
    return (x * cos + torch.cat([-second, first], -1) * sin).reshape(rows, width)


def differentiate(expression, inputs, seed):
    """`inputs`: shape and values each; the gradients are those of the output times `seed`, summed."""
    tensors = [torch.tensor(x["data"]).reshape(x["shape"]).requires_grad_() for x in inputs]
    names = {f"x{i}": tensor for i, tensor in enumerate(tensors)}
    output = eval(expression, globals(), names)
    (output * torch.tensor(seed)[: output.numel()].reshape(output.shape)).sum().backward()
    return {
        "output": output.flatten().tolist(),
        "gradients": [x.grad.flatten().tolist() for x in tensors],
    }


serve({"differentiate": differentiate})
