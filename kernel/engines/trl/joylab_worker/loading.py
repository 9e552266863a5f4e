"""Loading models: transformers and PEFT, or Unsloth."""

import json
import os


def load(message: dict, files, say):
    """Loads the model and its tokenizer that a `load` command names: a folder, and perhaps that of an adapter.

    A folder of this machine, where `there` names one, else one of the kernel's.

    `say` takes what is being done. Returns (model, tokenizer, about): `about` is what the kernel tells of it.
    """
    say("Loading PyTorch")
    loads = load_unsloth if message["backend"] == "unsloth" else load_transformers
    there = message.get("there")
    folder = there or files.copy(message["folder"], say)
    model, tokenizer = loads({**message, "folder": folder, "adapter": files.copy(message.get("adapter"))}, say)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer, about(model)


def load_unsloth(message: dict, say):
    import unsloth  # noqa: F401 (before transformers and trl, which it changes)
    import torch
    from unsloth import FastLanguageModel

    say("Loading weights")
    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=message["folder"],
        max_seq_length=message["maxSeqLength"],
        load_in_4bit=message["loadIn4bit"],
        load_in_8bit=message["loadIn8bit"],
        dtype=getattr(torch, message["dtype"]) if message.get("dtype") else None,
        **message["passedOn"],
    )
    if message.get("adapter"):
        model = with_adapter(model, message["adapter"])
    return model, tokenizer


def load_transformers(message: dict, say):
    import torch
    import transformers

    from . import quantizing

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder, device = message["folder"], default_device()
    if device != "cpu":
        # Of several processes each has a GPU of its own.
        torch.accelerator.set_device_index(int(os.environ.get("LOCAL_RANK", "0")))
    dtype = getattr(torch, message.get("dtype") or ("float32" if device == "cpu" else "bfloat16"))
    config = transformers.AutoConfig.from_pretrained(folder)
    is_random = message["initWeights"] == "random"
    say("Making weights" if is_random else "Loading weights")
    is_quantized = message["loadIn4bit"] or message["loadIn8bit"]
    if is_quantized and is_sharded():
        raise ValueError(
            "Weights in 4 or 8 bits are not shared among processes (FSDP, DeepSpeed): load without loadIn4bit and "
            "loadIn8bit, or with launch: { numProcesses }, where each process holds them all."
        )
    is_mxfp4 = (getattr(config, "quantization_config", None) or {}).get("quant_method") == "mxfp4"
    in_parts = False
    if is_random:
        torch.manual_seed(message["seed"])
        # In the type and where they will be: in float32, or in the machine's memory, many would not fit.
        with torch.device(own(device)):
            model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype, **message["passedOn"])
    else:
        in_parts = is_quantized and (is_mxfp4 or message["loadIn4bit"] and quantizing.has_experts(config))
        wanted = None if in_parts else quantizing.configuration(message, dtype)
        if is_mxfp4:
            # What is held in mxfp4 is not trained: it becomes numbers.
            wanted = transformers.Mxfp4Config(dequantize=True)
        settings = {"quantization_config": wanted, **message["passedOn"]}
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, device_map=None if in_parts else place(device), **settings
        )
        model.is_from_mxfp4 = is_mxfp4
    quantizing.quantize(model, message, dtype, own(device), layers=is_random or in_parts)
    if message.get("adapter"):
        model = with_adapter(model, message["adapter"])
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def with_adapter(model, folder: str):
    from peft import PeftModel

    return PeftModel.from_pretrained(model, folder, is_trainable=True)


def default_device() -> str:
    """PyTorch's accelerator of this machine, whoever made it, else 'cpu'."""
    import torch

    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found else "cpu"


def place(device: str) -> str | None:
    """Where this process loads a model: its own device; None where accelerate shards it, and on the processor."""
    return None if device == "cpu" or is_sharded() else own(device)


def is_sharded() -> bool:
    """Whether the processes share the weights."""
    return any(os.environ.get(f"ACCELERATE_USE_{name}") == "true" for name in ("FSDP", "DEEPSPEED"))


def own(device: str) -> str:
    """The device of this process, of those of a kind."""
    return device if device == "cpu" else f"{device}:{os.environ.get('LOCAL_RANK', '0')}"


def about(model) -> dict:
    """What the kernel tells of a model: sizes, device, memory, the layers that an adapter may have."""
    import torch

    from .quantizing import elements, note

    parameters = elements(model)
    device = parameters[0][1].device
    module = getattr(torch, device.type)
    return {
        "parameters": sum(shape.numel() for _, _, shape in parameters),
        "trainable": sum(p.numel() for _, p, _ in parameters if p.requires_grad),
        "bytes": sum(p.numel() * p.element_size() for _, p, _ in parameters),
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": module.get_device_name(device) if device.type != "cpu" else "CPU",
        "linear": [
            [name, layer.out_features, layer.in_features]
            for name, layer in model.named_modules()
            if hasattr(layer, "in_features") and ".lora_" not in name and not name.endswith(".base_layer")
        ],
        # Of a mixture of experts: all of a layer in one parameter.
        "experts": [[name, *shape] for name, _, shape in parameters if len(shape) == 3 and ".lora_" not in name],
        "versions": versions(),
        "note": note(model),
    }


def memory(message: dict) -> dict:
    """Bytes of its GPU's memory that each process used at most, and that a GPU has; 0 without one. `reset` begins anew."""
    import torch

    module, peak, total = getattr(torch, default_device()), 0, 0
    if hasattr(module, "max_memory_allocated"):
        peak, total = module.max_memory_allocated(), module.mem_get_info()[1]
        if message.get("reset"):
            module.reset_peak_memory_stats()
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return {"peaks": [peak], "total": total}
    peaks = [0] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(peaks, peak)
    return {"peaks": peaks, "total": total}


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
    """The model with a new LoRA adapter, by PEFT or Unsloth; it takes the place of one that is there."""
    settings = message["lora"]
    if hasattr(model, "peft_config"):
        model = model.unload()
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
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(message["randomState"])
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
