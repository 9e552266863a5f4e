"""Saved folders as transformers, safetensors and onnxruntime read them."""

import numpy
import onnxruntime
import torch
from checkpoints import SIZES, make_model
from peer import serve
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

torch.set_num_threads(1)


def make_family(folder, model_type, **settings):
    """A random checkpoint of another family, with the tokenizer of `make_model`."""
    make_model(folder)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **{**SIZES, **settings}))
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    model.save_pretrained(folder)


def rounded(folder, dtype, out):
    """The weights of a float32 folder as torch rounds them to another type, and back in float32."""
    weights = load_file(f"{folder}/model.safetensors")
    save_file({name: weight.to(getattr(torch, dtype)).float() for name, weight in weights.items()}, out)


def stored(file):
    """Type and size of what a file holds."""
    weights = load_file(file)
    return {"dtypes": sorted({str(weight.dtype) for weight in weights.values()}), "values": sum(weight.numel() for weight in weights.values())}


@torch.no_grad()
def logits(folder, ids, out):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    save_file({"logits": model(torch.tensor([ids])).logits[0].contiguous()}, out)


@torch.no_grad()
def onnx_difference(folder, reference, pieces):
    """Largest difference of logits of a padded batch, given to the ONNX graph in pieces with its cache, to transformers' in one."""
    model = AutoModelForCausalLM.from_pretrained(reference, dtype=torch.float32)
    config = model.config
    session = onnxruntime.InferenceSession(f"{folder}/onnx/model.onnx")
    torch.manual_seed(2)
    length = sum(pieces)
    ids = torch.randint(1, config.vocab_size, (3, length))
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    mask[2, : length - 5] = 0
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    expected = model(ids, attention_mask=mask, position_ids=positions).logits

    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    empty = numpy.zeros((3, config.num_key_value_heads, 0, size), numpy.float32)
    past = {f"past_key_values.{layer}.{of}": empty for layer in range(config.num_hidden_layers) for of in ("key", "value")}
    names = [output.name for output in session.get_outputs()]
    found, start = [], 0
    for piece in pieces:
        end = start + piece
        feeds = {"input_ids": ids[:, start:end], "attention_mask": mask[:, :end], "position_ids": positions[:, start:end]}
        outputs = dict(zip(names, session.run(None, {**{name: value.numpy() for name, value in feeds.items()}, **past})))
        found.append(outputs.pop("logits"))
        past = {name.replace("present", "past_key_values"): value for name, value in outputs.items()}
        start = end
    difference = torch.tensor(numpy.concatenate(found, 1)) - expected
    return {"difference": difference[mask.bool()].abs().max().item(), "inputs": [value.name for value in session.get_inputs()], "outputs": names}


serve({"make_model": make_model, "make_family": make_family, "rounded": rounded, "stored": stored, "logits": logits, "onnx_difference": onnx_difference})
