"""What goes wrong on GPUs, in a sentence with what to change."""

import importlib.metadata
import re

GIB = 1024**3
#: Bytes that are worth a word.
MUCH = GIB / 4
#: Versions that were tried together.
TOGETHER = (
    "trl 1.16.0 with transformers 5.23, peft 0.21, accelerate 1.15, datasets 5, torch 2.13; with Unsloth 2026.10.9: "
    "trl 1.15.0, transformers 5.17, datasets 4.8, torch 2.11"
)


def sentence(error: BaseException, model=None, arguments: dict | None = None) -> str:
    """The error as its user should read it."""
    name, text = type(error).__name__, str(error).strip()
    if is_out_of_memory(error):
        return out_of_memory(model, arguments or {})
    if isinstance(error, (ImportError, importlib.metadata.PackageNotFoundError)):
        return (
            f"The worker's Python lacks a package or has one that does not fit: {text}. Versions that go together: "
            f"{TOGETHER}. `joylab setup gpu` makes such an environment; $JOYLAB_GPU_PYTHON names another one."
        )
    if "driver" in text.lower() and ("too old" in text.lower() or "insufficient" in text.lower()):
        return f"The GPU's driver is older than this PyTorch wants: {text} Update the driver, or install a PyTorch for it."
    if re.search(r"no kernel image|no CUDA-capable device|No HIP GPUs|Found no NVIDIA driver", text):
        return f"PyTorch finds no GPU that it can use: {text} Choose another PyTorch for this GPU, or load with backend: 'onnx'."
    return f"{name}: {text}" if text else name


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU or the machine had no more memory: PyTorch has a class of its own for the first alone."""
    found = re.search(r"out of memory|can.t allocate memory|not enough memory", str(error), re.IGNORECASE)
    return type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError) or bool(found)


def size(count: float) -> str:
    return f"{count / GIB:.1f} GiB" if count > GIB / 20 else f"{count / 2**20:.0f} MiB"


def out_of_memory(model, arguments: dict) -> str:
    """What used the memory, and which settings would save how much."""
    import torch

    used, total = [], None
    device = getattr(getattr(model, "device", None), "type", "cpu")
    module = getattr(torch, device, None)
    if module is not None and hasattr(module, "max_memory_allocated"):
        total = module.mem_get_info()[1]
        used.append(f"{module.max_memory_allocated() / GIB:.1f} of {total / GIB:.1f} GiB were in use at most")
    # What each would save, in bytes where that is known before.
    savings: list[tuple[float, str]] = []
    if model is not None:
        parameters = list(model.parameters())
        weights = sum(p.numel() * p.element_size() for p in parameters)
        trained = sum(p.numel() for p in parameters if p.requires_grad)
        used.append(f"the weights take {size(weights)}, gradients and optimizer of what is trained {size(trained * 12)}")
        count = sum(p.numel() for p in parameters)
        quantized, adapter = weights - 0.57 * count, (trained - 0.01 * count) * 12
        savings = [
            (quantized, f"loadIn4bit: true (about {size(quantized)} less)"),
            (adapter, f"an adapter, FastLanguageModel.getPeftModel (about {size(adapter)} less)"),
            (trained * 6, f"optim: 'adamw_8bit' (about {size(trained * 6)} less)"),
        ]
    helps = [text for saved, text in sorted(savings, reverse=True) if saved > MUCH]
    if not arguments.get("gradient_checkpointing"):
        helps.append("gradientCheckpointing: true (activations of one block instead of all)")
    batch, length = arguments.get("per_device_train_batch_size"), arguments.get("max_completion_length")
    if batch and batch > 1:
        helps.append(f"perDeviceTrainBatchSize: {max(1, batch // 2)} instead of {batch} (half of activations and logits)")
    if length:
        helps.append(f"maxCompletionLength: {length // 2} instead of {length}")
    what = f" ({'; '.join(used)})" if used else ""
    return f"The worker ran out of memory{what}. What helps: {', '.join(helps[:3])}."
