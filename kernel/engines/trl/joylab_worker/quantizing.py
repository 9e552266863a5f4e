"""Weights in 4 or 8 bits, by bitsandbytes: those of linear layers, and in 4 bits the experts of a mixture.

transformers quantises linear layers as it loads them. It leaves the experts of
a mixture alone, which are parameters of three dimensions, and by far the most
of such a model; and it quantises nothing of a model that is made at random.
Both are done here, once the model is there.
"""

import torch
from torch.nn.utils import parametrize


#: What is told of a checkpoint in mxfp4.
MXFP4_NOTE = "The experts are mxfp4 in the file and not in memory, as mxfp4 is not trained: loadIn4bit holds them in 4 bits."


def configuration(message: dict, dtype):
    """transformers' configuration of what a `load` command asks for, None where that is neither 4 nor 8 bits."""
    if not message["loadIn4bit"] and not message["loadIn8bit"]:
        return None
    from transformers import BitsAndBytesConfig

    if message["loadIn8bit"]:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_use_double_quant=True,
    )


def quantize(model, message: dict, dtype, device: str, layers: bool) -> None:
    """Quantises what a `load` command asks for and transformers has left as it was: `layers`, too, or the experts alone.

    A model elsewhere comes to the device part by part, so that it has room for what is quantised, and need not for more.
    """
    if message["loadIn8bit"]:
        if layers:
            quantize_layers(model, lambda layer: layer_in_8bit(layer, device))
    elif message["loadIn4bit"]:
        if layers:
            quantize_layers(model, lambda layer: layer_in_4bit(layer, dtype, device))
        quantize_experts(model, device)
    else:
        return
    if layers:
        model.to(device)
    bits = 8 if message["loadIn8bit"] else 4
    if bits_of(model)[0] == 0:
        raise ValueError(f"loadIn{bits}bit: this model has no linear layers that bitsandbytes quantises: leave it out")
    setattr(model, f"is_loaded_in_{bits}bit", True)


def has_experts(config) -> bool:
    """Whether a model has experts that are no linear layers."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return any(p.dim() == 3 for p in AutoModelForCausalLM.from_config(config).parameters())


def quantize_layers(model, quantized) -> None:
    """Puts quantised layers in the place of linear ones, the head's alone excepted."""
    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if type(layer) is torch.nn.Linear and layer is not head:
            model.set_submodule(name, quantized(layer))


def layer_in_4bit(layer: torch.nn.Linear, dtype, device: str):
    import bitsandbytes

    made = bitsandbytes.nn.Linear4bit(
        layer.in_features,
        layer.out_features,
        layer.bias is not None,
        compute_dtype=dtype,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    settings = {"compress_statistics": True, "quant_type": "nf4", "module": made}
    weight = bitsandbytes.nn.Params4bit(layer.weight.data, requires_grad=False, **settings)
    made.weight, made.bias = weight.to(device), layer.bias
    return made


def layer_in_8bit(layer: torch.nn.Linear, device: str):
    import bitsandbytes

    made = bitsandbytes.nn.Linear8bitLt(
        layer.in_features, layer.out_features, layer.bias is not None, has_fp16_weights=False, device="meta"
    )
    weight = bitsandbytes.nn.Int8Params(layer.weight.data.cpu(), requires_grad=False, has_fp16_weights=False)
    made.weight, made.bias = weight.to(device), layer.bias
    return made


def quantize_experts(model, device: str) -> None:
    """Holds the experts of a mixture in 4 bits. Each layer's are numbers again only while that layer computes."""
    for module in list(model.modules()):
        experts = [name for name, parameter in module.named_parameters(recurse=False) if parameter.dim() == 3]
        if not experts:
            continue
        from bitsandbytes.nn.parametrize import replace_parameter_4bit

        module.to(device)
        for name in experts:
            replace_parameter_4bit(module, name, compress_statistics=True, quant_type="nf4")
        module.forward = remade_for_gradients(module.forward)


def remade_for_gradients(forward):
    """A layer's computation that is made again for its gradients: else every layer held its experts as numbers until then."""

    def computed(*args, **kwargs):
        with parametrize.cached():
            return forward(*args, **kwargs)

    def remade(*args, **kwargs):
        if not torch.is_grad_enabled():
            return computed(*args, **kwargs)
        return torch.utils.checkpoint.checkpoint(computed, *args, use_reentrant=False, **kwargs)

    return remade


def elements(model) -> list[tuple[str, torch.nn.Parameter, torch.Size]]:
    """The parameters by the checkpoint's names, with the sizes that they have there: in 4 bits two numbers share a byte."""
    found = []
    for name, parameter in model.named_parameters():
        module = model.get_submodule(name.rpartition(".")[0])
        state = getattr(parameter, "quant_state", None)
        if isinstance(module, parametrize.ParametrizationList):
            state = getattr(module[0], "quant_state", None)
            name = name.replace(".parametrizations.", ".").removesuffix(".original")
        found.append((name, parameter, parameter.shape if state is None else state.shape))
    return found


def bits_of(model) -> tuple[int, int]:
    """How many parameters are quantised, and how many are not."""
    quantized = others = 0
    for _, parameter, shape in elements(model):
        if parameter.is_floating_point():
            others += shape.numel()
        else:
            quantized += shape.numel()
    return quantized, others


def note(model) -> str | None:
    """What is held in how many bits, None where nothing is quantised."""
    bits = 8 if getattr(model, "is_loaded_in_8bit", False) else 4 if getattr(model, "is_loaded_in_4bit", False) else None
    if bits is None:
        return MXFP4_NOTE if getattr(model, "is_from_mxfp4", False) else None
    quantized, others = bits_of(model)
    experts = any(p.dim() == 3 and p.is_floating_point() for _, p, _ in elements(model))
    text = f"{millions(quantized)} of {millions(quantized + others)} parameters are held in {bits} bits"
    if experts:
        text += "; the experts are not" + ("" if bits == 4 else ": loadIn4bit holds them in 4")
    return text + "."


def millions(count: int) -> str:
    return f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"


def numbers(model, name: str, parameter: torch.nn.Parameter) -> torch.Tensor:
    """A parameter that `elements` names as numbers, however bitsandbytes holds it."""
    owner, _, last = name.rpartition(".")
    module = model.get_submodule(owner)
    if parametrize.is_parametrized(module, last):
        return getattr(module, last)
    if parameter.is_floating_point():
        return parameter
    from peft.utils.integrations import dequantize_bnb_weight

    return dequantize_bnb_weight(parameter, state=getattr(module, "state", None))
