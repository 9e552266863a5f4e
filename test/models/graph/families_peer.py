"""Random checkpoints of every family by transformers: their logits, completions and gradients."""

import dataclasses
import json
import os

import torch
from peer import serve
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

torch.set_num_threads(1)
SIZES = dict(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=128,
    eos_token_id=0,
    bos_token_id=None,
    pad_token_id=None,
)


def make_model(folder, model_type, dtype="float32", max_shard_size="1GB", edit=None, std=0.2, **settings):
    """`std` is the deviation of the weights; `edit` changes config.json afterwards, as older versions wrote it (null removes a setting)."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **{**SIZES, **settings})
    model = AutoModelForCausalLM.from_config(config)
    offset = 0.0 if model_type.startswith("gemma") else 1.0
    for name, parameter in model.named_parameters():
        # Large enough to make attention, norms and biases matter.
        torch.nn.init.normal_(parameter, mean=offset if "norm" in name else 0.0, std=std)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=max_shard_size)
    if edit:
        path = os.path.join(folder, "config.json")
        with open(path) as file:
            written = {**json.load(file), **edit}
        with open(path, "w") as file:
            json.dump({name: value for name, value in written.items() if name not in edit or value is not None}, file)
    words = {"<eos>": 0, **{f"w{i}": i for i in range(1, 64)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w1"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>").save_pretrained(folder)
    return sorted(os.listdir(folder))


def load(folder, adapter=None):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return PeftModel.from_pretrained(model, adapter, is_trainable=True) if adapter else model


def compare(folder, ids, prompt, completions, out, adapters=()):
    """Logits of `ids`, the most likely completion of it, and the gradients of the completions' negative log-likelihood."""
    model = load(folder)
    tensors = {}
    with torch.no_grad():
        tensors["logits"] = model(torch.tensor([ids])).logits[0].contiguous()
    prefix = torch.tensor([ids])
    greedy = model.generate(prefix, attention_mask=torch.ones_like(prefix), do_sample=False, max_new_tokens=20, eos_token_id=None)
    tensors.update({f"full {name}": gradient for name, gradient in gradients(model, prompt, completions).items()})
    for adapter in adapters:
        adapted = load(folder, adapter)
        tensors.update({f"lora {name}": gradient for name, gradient in gradients(adapted, prompt, completions).items()})
        with torch.no_grad():
            tensors["lora logits"] = adapted(torch.tensor([ids])).logits[0].contiguous()
    save_file(tensors, out)
    return greedy[0, len(ids) :].tolist()


def gradients(model, prompt, completions):
    loss = torch.zeros(())
    for completion in completions:
        logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
        loss = loss + torch.nn.functional.cross_entropy(logits, torch.tensor(completion), reduction="sum")
    loss.backward()
    named = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    return {name.removeprefix("base_model.model.").replace(".default", ""): gradient.contiguous() for name, gradient in named.items()}


def make_adapter(folder, adapter, out, ids, **settings):
    """A PEFT adapter of random factors, and the logits of the model with it."""
    model = get_peft_model(load(folder), LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(adapter)
    with torch.no_grad():
        save_file({"logits": model(torch.tensor([ids])).logits[0].contiguous()}, out)


@torch.no_grad()
def logits(folder, ids, out, adapter=None):
    save_file({"logits": load(folder, adapter)(torch.tensor([ids])).logits[0].contiguous()}, out)


def lora_settings():
    """PEFT's settings of an adapter with the defaults of those that JSON can say."""
    plain = (str, int, float, bool, type(None))
    return {field.name: field.default if isinstance(field.default, plain) else None for field in dataclasses.fields(LoraConfig)}


serve({"make_model": make_model, "compare": compare, "make_adapter": make_adapter, "logits": logits, "lora_settings": lora_settings})
