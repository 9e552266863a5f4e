"""Plain TRL with a reward in Python: `python plain.py '{"folder": …}'` prints seconds of each step and the memory at most."""

import json
import sys
import time

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

given = json.loads(sys.argv[1])
accelerator = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator().type if accelerator else "cpu"
torch.manual_seed(3407)
with torch.device(device):
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(given["folder"]),
        dtype=torch.bfloat16 if accelerator else torch.float32,
        attn_implementation="eager",
    )
model = get_peft_model(
    model,
    LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM"),
)
seconds = []


class Times(TrainerCallback):
    def on_step_begin(self, args, state, control, **_):
        self.begun = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        seconds.append(time.perf_counter() - self.begun)


args = GRPOConfig(
    output_dir=given["folder"] + "/plain",
    max_steps=given["steps"],
    num_generations=given["generations"],
    per_device_train_batch_size=given["generations"],
    max_completion_length=given["tokens"],
    learning_rate=5e-5,
    gradient_checkpointing=False,
    bf16=accelerator,
    use_cpu=not accelerator,
    save_strategy="no",
    report_to="none",
    logging_steps=1,
    disable_tqdm=True,
)
GRPOTrainer(
    model=model,
    args=args,
    processing_class=AutoTokenizer.from_pretrained(given["folder"]),
    train_dataset=Dataset.from_dict({"prompt": [given["prompt"]] * 64}),
    reward_funcs=[lambda completions, **_: [float(len(text) % 7) for text in completions]],
    callbacks=[Times()],
).train()
peak = getattr(torch, device).max_memory_allocated() if accelerator else 0
print("RESULT " + json.dumps({"seconds": seconds, "peak": peak, "loaded": sum(p.numel() for p in model.parameters())}))
