"""mxfp4, the format of gpt-oss's checkpoints: 4 bits a number, and a power of two for each 32 of them.

An expert's weights are saved as `*_blocks`, two numbers of a row in a byte, the
first in its low half, and `*_scales`, exponents plus 127 (OCP Microscaling
Formats, version 1.0).
"""

import torch

#: Numbers that share a scale.
BLOCK = 32
#: What the three low bits of a number stand for; the fourth is its sign.
VALUES = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
#: Of the largest of them.
LARGEST_EXPONENT = 2
BIAS = 127
#: What a checkpoint's configuration says of it.
CONFIG = {
    "quant_method": "mxfp4",
    "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
}


def check(config) -> None:
    """Raises where a model has no such checkpoints."""
    if config.model_type != "gpt_oss":
        raise ValueError(f"saveMethod 'mxfp4' is for gpt-oss, and this is {config.model_type}: save it with 'merged_16bit'")
    if config.hidden_size % BLOCK or config.intermediate_size % BLOCK:
        raise ValueError(f"saveMethod 'mxfp4' wants widths that are multiples of {BLOCK}: save it with 'merged_16bit'")


def is_expert(name: str) -> bool:
    return name.endswith((".experts.gate_up_proj", ".experts.down_proj"))


def quantize(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Blocks and scales of a weight (experts, inputs, outputs): rows of outputs, their inputs in blocks."""
    # One expert at a time: the numbers in between take several times the memory.
    blocks, scales = zip(*(quantize_rows(expert.T.float().contiguous()) for expert in weight))
    return torch.stack(blocks), torch.stack(scales)


def quantize_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = rows.reshape(rows.shape[0], -1, BLOCK)
    largest = numbers.abs().amax(-1)
    # Exact, unlike a logarithm's: a number is its mantissa, from a half to one, times two to the exponent.
    exponent = torch.frexp(largest).exponent - 1 - LARGEST_EXPONENT
    exponent = torch.where(largest > 0, exponent, -BIAS).clamp(-BIAS, BIAS)
    # The largest number of a block may lie above the largest value: then the next scale may fit better.
    low, high = (codes_of(numbers, exponent + more) for more in (0, 1))
    better = (error(numbers, high, exponent + 1) < error(numbers, low, exponent)) & (exponent < BIAS)
    codes = torch.where(better[..., None], high, low)
    blocks = codes[..., 0::2] | codes[..., 1::2] << 4
    return blocks, (exponent + better + BIAS).to(torch.uint8)


def codes_of(numbers: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """The nearest values by their numbers, of two equally near the even one."""
    values = VALUES.to(numbers.device)
    between = (values[1:] + values[:-1]) / 2
    sizes = torch.ldexp(numbers.abs(), -exponent[..., None])
    below = torch.bucketize(sizes, between)
    above = torch.bucketize(sizes, between, right=True)
    codes = torch.where(below % 2 == 0, below, above)
    return (codes + 8 * numbers.signbit()).to(torch.uint8)


def error(numbers: torch.Tensor, codes: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """The sum of squares, a block's."""
    sizes = torch.ldexp(VALUES.to(numbers.device)[(codes & 7).int()], exponent[..., None])
    return (numbers.abs() - sizes).square().sum(-1)
