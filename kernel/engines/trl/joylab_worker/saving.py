"""Saving models: the adapter, or the whole model with the adapter in it. The kernel saves the tokenizer, which is its own."""

import torch

from .quantizing import numbers


def save(model, tokenizer, message: dict) -> None:
    """Saves what a `save` command names: `adapter`, `merged_16bit` or `mxfp4`, by Unsloth's names of `save_method`."""
    folder, method = message["folder"], message["method"]
    if method == "adapter":
        model.save_pretrained(folder)
    elif message["backend"] == "unsloth":
        model.save_pretrained_merged(folder, tokenizer, save_method=method)
    elif method == "mxfp4":
        raise ValueError("saveMethod 'mxfp4' is Unsloth's: load the model with backend: 'unsloth', or save with 'merged_16bit'")
    else:
        base = model.get_base_model() if hasattr(model, "peft_config") else model
        dtype = getattr(torch, message["dtype"]) if message.get("dtype") else None
        base.save_pretrained(folder, state_dict=merged(model, dtype), max_shard_size=int(message["maxShardSize"]))


def merged(model, dtype: torch.dtype | None) -> dict[str, torch.Tensor]:
    """The weights by the checkpoint's names, the adapter's updates added; the model itself stays as it is."""
    if not hasattr(model, "peft_config"):
        return {name: tensor.to("cpu", dtype) for name, tensor in model.state_dict().items()}
    from peft.tuners.lora import LoraLayer

    base, weights = model.get_base_model(), {}
    for name, tensor in base.state_dict().items():
        if "lora_" not in name:
            weights[name.replace(".base_layer", "")] = tensor.to("cpu", dtype)
    for name, layer in base.named_modules():
        if not isinstance(layer, LoraLayer):
            continue
        parameter = getattr(layer, "parameter_name", "weight")
        weight = numbers(getattr(layer.get_base_layer(), parameter))
        updated = weight.float()
        for adapter in layer.active_adapters:
            if adapter in layer.lora_A:
                updated = updated + layer.get_delta_weight(adapter).float()
        weights[f"{name}.{parameter}".replace(".base_layer", "")] = updated.to(dtype or weight.dtype).cpu()
    return weights

