"""Saving models: the adapter, or the whole model with the adapter in it. The kernel saves the tokenizer, which is its own."""

import json
import os
from collections.abc import Iterator

import torch

from . import mxfp4
from .quantizing import elements, numbers


def save(model, tokenizer, message: dict, writes: bool) -> None:
    """Saves what a `save` command names: `adapter`, `merged_16bit` or `mxfp4`, by Unsloth's names of `save_method`.

    In each process, as each may have a part of the weights; one of them writes.
    """
    folder, method = message["folder"], message["method"]
    if method == "adapter":
        weights = {name: whole(tensor) for name, tensor in model.state_dict().items() if "lora_" in name}
        if writes:
            model.save_pretrained(folder, state_dict=weights)
        return
    if message["backend"] == "unsloth":
        if writes:
            model.save_pretrained_merged(folder, tokenizer, save_method=method)
        return
    base = model.get_base_model() if hasattr(model, "peft_config") else model
    if method == "mxfp4":
        mxfp4.check(base.config)
    dtype = getattr(torch, message["dtype"])
    weights = {}
    for name, tensor in merged(model, dtype):
        if not writes:
            continue
        if method == "mxfp4" and mxfp4.is_expert(name):
            blocks, scales = mxfp4.quantize(tensor)
            weights[f"{name}_blocks"], weights[f"{name}_scales"] = blocks.cpu(), scales.cpu()
        else:
            weights[name] = tensor.to("cpu", dtype)
    if writes:
        # What is saved are numbers, or quantised as the configuration says below.
        quantizer, base.hf_quantizer = getattr(base, "hf_quantizer", None), None
        try:
            # transformers would give numbers that it has made of mxfp4 the names of mxfp4.
            by_name = not getattr(base, "is_from_mxfp4", False)
            settings = {"max_shard_size": int(message["maxShardSize"]), "save_original_format": by_name}
            base.save_pretrained(folder, state_dict=weights, **settings)
        finally:
            base.hf_quantizer = quantizer
        describe(folder, dtype=message["dtype"], quantization_config=mxfp4.CONFIG if method == "mxfp4" else None)


def describe(folder: str, **settings) -> None:
    """Changes settings of a folder's configuration; None removes one."""
    path = os.path.join(folder, "config.json")
    with open(path) as file:
        config = {**json.load(file), **settings}
    with open(path, "w") as file:
        json.dump({name: value for name, value in config.items() if name not in settings or value is not None}, file, indent=2)


def merged(model, dtype: torch.dtype) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights by the checkpoint's names, the adapter's updates added; the model itself stays as it is."""
    from peft.tuners.lora import LoraLayer

    base = model.get_base_model() if hasattr(model, "peft_config") else model
    layers: dict[str, list] = {}
    for name, layer in base.named_modules():
        if isinstance(layer, LoraLayer):
            layers.setdefault(own_name(f"{name}.{getattr(layer, 'parameter_name', 'weight')}"), []).append(layer)
    kept = base.state_dict().keys()
    for name, buffer in base.named_buffers():
        if name in kept:
            yield own_name(name), whole(buffer)
    for name, parameter, _ in elements(base):
        if "lora_" in name:
            continue
        updates = [
            layer.get_delta_weight(adapter)
            for layer in layers.get(own_name(name), [])
            for adapter in layer.active_adapters
            if adapter in layer.lora_A
        ]
        weight = whole(numbers(base, name, parameter))
        if updates:
            weight = sum((whole(update).float() for update in updates), weight.float())
        yield own_name(name), weight.to(dtype)


def own_name(name: str) -> str:
    """A name as it is without adapters."""
    return name.replace(".base_layer", "")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of which each process may have a part."""
    tensor = tensor.detach()
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
