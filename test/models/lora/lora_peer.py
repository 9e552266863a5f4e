"""LoRA on quantised bases and with dropout, by transformers, bitsandbytes and PEFT."""

import torch
from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_quant
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from checkpoints import make_model
from peer import serve
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

torch.set_num_threads(1)


def quantised(folder, bits):
    """The model as transformers loads it with load_in_4bit (NF4) or load_in_8bit, at float32."""
    settings = dict(load_in_8bit=True) if bits == 8 else dict(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, quantization_config=BitsAndBytesConfig(**settings))


def dequantised(layer):
    """What the weights of a quantised layer stand for."""
    weight = layer.weight
    if isinstance(layer, Linear4bit):
        return dequantize_4bit(weight.data, weight.quant_state)
    return weight.CB.float() * weight.SCB[:, None] / 127


def quantised_weights(folder, bits, out):
    """The dequantised weights of all quantised layers, by their names in the checkpoint."""
    layers = {name: module for name, module in quantised(folder, bits).named_modules() if isinstance(module, (Linear4bit, Linear8bitLt))}
    save_file({f"{name}.weight": dequantised(layer).contiguous() for name, layer in layers.items()}, out)


def base_model(folder, bits=None, weights=None):
    """The model with layers of bitsandbytes, or with float32 layers, of which a file may replace weights."""
    if bits:
        return quantised(folder, bits)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if weights:
        model.load_state_dict(load_file(weights), strict=False)
    return model


@torch.no_grad()
def logits(folder, ids, out, adapter=None, **base):
    model = base_model(folder, **base)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    save_file({"logits": model.eval()(torch.tensor([ids])).logits[0].contiguous()}, out)


class FixedDropout(torch.nn.Module):
    """Dropout with a given mask, scaled as torch does."""

    def __init__(self, p, kept):
        super().__init__()
        self.p, self.kept = p, kept

    def forward(self, x):
        return x * self.kept.to(x.dtype) / (1 - self.p)


def gradients(folder, adapter, prompt, completion, out, masks=None, **base):
    """Gradients of the adapter's factors of minus the log-probability of a completion; `masks` are dropout masks by module."""
    model = PeftModel.from_pretrained(base_model(folder, **base), adapter, is_trainable=True).train()
    kept = load_file(masks) if masks else {}
    for name, module in model.named_modules():
        dropout = getattr(module, "lora_dropout", {})
        if "default" in dropout and masks:
            key = name.removeprefix("base_model.model.")
            dropout["default"] = FixedDropout(dropout["default"].p, kept[key][None])
    ids = torch.tensor([prompt + completion])
    logprobs = model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    loss = -logprobs.gather(1, torch.tensor(completion)[:, None]).sum()
    loss.backward()
    found = {name.removeprefix("base_model.model.").replace(".default", ""): p.grad for name, p in model.named_parameters() if p.grad is not None}
    save_file({"loss": loss.detach(), **found}, out)


def int8(weights, out):
    """bitsandbytes' 8-bit rounding of each tensor of a file."""
    result = {}
    for name, weight in load_file(weights).items():
        codes, absmax, _ = int8_vectorwise_quant(weight.clone())
        result[name] = codes.float() * absmax[:, None] / 127
    save_file(result, out)


serve({"make_model": make_model, "quantised_weights": quantised_weights, "logits": logits, "gradients": gradients, "int8": int8})
