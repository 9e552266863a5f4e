"""Plain TRL with a reward in Python: `python plain.py '{"folder": …}'` prints seconds of each step and the memory at most.

Its model is made as the worker's is (`joylab_worker`), so that the trainers alone differ.
"""

import json
import sys
import time

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from joylab_worker.loading import load_transformers
from peft import LoraConfig, get_peft_model
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

given = json.loads(sys.argv[1])
accelerator = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator().type if accelerator else "cpu"
processes = given["launch"]["processes"]
loading = {"initWeights": "random", "seed": 3407, "loadIn8bit": False, "loadIn4bit": given["loadIn4bit"]}
model, tokenizer = load_transformers(
    {**loading, "folder": given["folder"], "passedOn": {"attn_implementation": given["attention"]}}, lambda text: None
)
model = get_peft_model(
    model,
    LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM"),
)
seconds = []


class Times(TrainerCallback):
    def on_step_begin(self, args, state, control, **_):
        if given.get("inTurns"):
            # The other side makes its step, then writes a line.
            print("READY", flush=True)
            sys.stdin.readline()
        self.begun = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        seconds.append(time.perf_counter() - self.begun)
        # Memory is that of steps, not of loading.
        if accelerator and state.global_step == 1:
            getattr(torch, device).reset_peak_memory_stats()


args = GRPOConfig(
    output_dir=given["folder"] + "/plain",
    max_steps=given["steps"],
    num_generations=given["generations"],
    per_device_train_batch_size=given["generations"] // processes,
    max_completion_length=given["tokens"],
    learning_rate=5e-5,
    gradient_checkpointing=given["gradientCheckpointing"],
    bf16=accelerator,
    use_cpu=not accelerator,
    save_strategy="no",
    report_to="none",
    logging_steps=1,
    disable_tqdm=True,
)
trainer = GRPOTrainer(
    model=model,
    args=args,
    processing_class=tokenizer,
    train_dataset=Dataset.from_dict({"prompt": [given["prompt"]] * 64}),
    reward_funcs=[lambda completions, **_: [float(len(text) % 7) for text in completions]],
    callbacks=[Times()],
)
trainer.train()
peaks = gather_object([getattr(torch, device).max_memory_allocated() if accelerator else 0])
if trainer.accelerator.is_main_process:
    print("RESULT " + json.dumps({"seconds": seconds, "peaks": peaks}))
