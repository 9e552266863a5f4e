"""Loading models: transformers and PEFT, or Unsloth."""

import json
import os


def load(message: dict):
    """Loads the model and its tokenizer that a `load` command names.

    Returns (model, tokenizer, about): `about` is what the kernel tells of it.
    """
    return load_unsloth(message) if message["backend"] == "unsloth" else load_transformers(message)


def load_unsloth(message: dict):
    import unsloth  # noqa: F401 (before transformers and trl, which it changes)
    import torch
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=message["modelName"],
        max_seq_length=message.get("maxSeqLength"),
        load_in_4bit=message.get("loadIn4bit", False),
        load_in_8bit=message.get("loadIn8bit", False),
        dtype=getattr(torch, message["dtype"]) if message.get("dtype") else None,
        revision=message.get("revision") or "main",
        token=message.get("token"),
        **message.get("passedThrough", {}),
    )
    return model, tokenizer, about(model)


def load_transformers(message: dict):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    name = message["modelName"]
    common = {"revision": message.get("revision"), "token": message.get("token")}
    common = {key: value for key, value in common.items() if value is not None}
    adapter = os.path.join(name, "adapter_config.json")
    base = json.load(open(adapter))["base_model_name_or_path"] if os.path.exists(adapter) else name
    device = default_device()
    dtype = message.get("dtype") or ("float32" if device == "cpu" else "bfloat16")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        base,
        dtype=getattr(torch, dtype),
        device_map=None if device == "cpu" or distributed() else device,
        quantization_config=quantization(message, dtype),
        **common,
        **message.get("passedThrough", {}),
    )
    if base != name:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, name, is_trainable=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base, **common)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer, about(model)


def quantization(message: dict, dtype: str):
    """bitsandbytes' configuration where the model is to be held in 4 or 8 bits, else None."""
    if not message.get("loadIn4bit") and not message.get("loadIn8bit"):
        return None
    import torch
    from transformers import BitsAndBytesConfig

    if message.get("loadIn8bit"):
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=getattr(torch, dtype),
        bnb_4bit_use_double_quant=True,
    )


def default_device() -> str:
    """PyTorch's accelerator of this machine, whoever made it, else 'cpu'."""
    import torch

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found else "cpu"


def distributed() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def about(model) -> dict:
    """What the kernel tells of a model: sizes, device, memory."""
    import torch

    parameters = list(model.parameters())
    device = next(iter(parameters)).device
    module = getattr(torch, device.type)
    config = model.config
    return {
        "parameters": sum(p.numel() for p in parameters),
        "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        "bytes": sum(p.numel() * p.element_size() for p in parameters),
        "dtype": str(config.dtype).removeprefix("torch."),
        "device": module.get_device_name(device) if device.type != "cpu" else "CPU",
        "layers": getattr(config, "num_hidden_layers", None),
        "width": getattr(config, "hidden_size", None),
        "maxPositions": getattr(config, "max_position_embeddings", None),
        "versions": versions(),
    }


def versions() -> dict:
    import importlib.metadata

    found = {}
    for name in ("torch", "transformers", "peft", "trl", "accelerate", "unsloth", "bitsandbytes", "vllm"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def add_adapter(model, tokenizer, message: dict):
    """The model with a new LoRA adapter, by PEFT or Unsloth."""
    settings = message["lora"]
    if message["backend"] == "unsloth":
        from unsloth import FastLanguageModel

        return FastLanguageModel.get_peft_model(
            model,
            random_state=message["randomState"],
            use_gradient_checkpointing=message.get("gradientCheckpointing", "unsloth"),
            max_seq_length=message.get("maxSeqLength"),
            **settings,
        )
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    torch.manual_seed(message["randomState"])
    if getattr(model, "is_loaded_in_4bit", False) or getattr(model, "is_loaded_in_8bit", False):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
