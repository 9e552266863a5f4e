"""One update of a LoRA adapter by PyTorch on one long sequence; prints its seconds and the peak memory in MiB, as JSON.

Arguments: folder of the model, prompt tokens, completion tokens, whether to use gradient checkpointing (true or false), threads.
"""

import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

folder, prompt, completion, checkpointing, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=16, target_modules="all-linear"))
if checkpointing == "true":
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()
model.train()
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-4)
ids = torch.arange(int(prompt) + int(completion))[None] % 500
labels = ids.clone()
labels[:, : int(prompt)] = -100
seconds = []
for _ in range(2):
    started = time.perf_counter()
    model(ids, labels=labels).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    seconds.append(time.perf_counter() - started)
print(json.dumps({"seconds": min(seconds), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
