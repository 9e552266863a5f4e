"""What the hub's Python client does with a model: `download NAME REVISION` into the cache, or `logits NAME` out of it."""

import json
import sys

command, name, *rest = sys.argv[1:]
if command == "download":
    from huggingface_hub import snapshot_download

    print(snapshot_download(name, revision=rest[0], allow_patterns=["*.json", "*.safetensors", "*.jinja"]))
else:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = AutoTokenizer.from_pretrained(name)("function strategy(state)")["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    with torch.no_grad():
        print(json.dumps({"ids": ids, "logits": model(torch.tensor([ids])).logits[0, -1].tolist()}))
