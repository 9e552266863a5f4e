"""GRPO by TRL: __notebook__, exported by Joylab.

Environment and rewards stay TypeScript (notebook.ts); joylab_rewards.py runs them in Node.js.
"""

import json
import os

# Starts of the environment follow from it and the seed: the same run everywhere. Strategies do not see it.
os.environ.setdefault("JOYLAB_SECRET", __secret__)

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import GRPOConfig, GRPOTrainer

from joylab_rewards import HERE, NotebookRewards

MODEL = __model__
REVISION = __revision__
#: Type of the weights; None: bfloat16 on a GPU, else float32.
DTYPE = __dtype__
ATTENTION = __attention__
#: 4, 8, or None for weights as they are.
BITS = __bits__
LORA = __lora__
SEED_OF_ADAPTER = __seed__
REWARDS = __rewards__
CHAT_TEMPLATE = __chat__
SETTINGS = __settings__


def load():
    gpu = torch.accelerator.is_available()
    dtype = DTYPE or (torch.bfloat16 if gpu else torch.float32)
    quantization = {
        4: BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype),
        8: BitsAndBytesConfig(load_in_8bit=True),
    }.get(BITS)
    model = AutoModelForCausalLM.from_pretrained(
        MODEL, revision=REVISION, dtype=dtype, attn_implementation=ATTENTION, quantization_config=quantization
    )
    tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if BITS:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if LORA:
        torch.manual_seed(SEED_OF_ADAPTER)
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **LORA))
    return model, tokenizer


def main():
    model, tokenizer = load()
    gpu = torch.accelerator.is_available()
    args = GRPOConfig(**SETTINGS, reward_weights=list(REWARDS.values()), use_cpu=not gpu, bf16=gpu)
    with open(os.path.join(HERE, "dataset.jsonl"), encoding="utf-8") as file:
        dataset = Dataset.from_list([json.loads(line) for line in file])
    rewards = NotebookRewards(tokenizer, args, list(REWARDS), CHAT_TEMPLATE)
    trainer = GRPOTrainer(
        model=model,
        args=args,
        processing_class=tokenizer,
        train_dataset=dataset,
        reward_funcs=rewards.functions,
    )
    trainer.train()
    final = os.path.join(args.output_dir, "final")
    trainer.save_model(final)
    tokenizer.save_pretrained(final)
    rewards.close()
    # Only where it is asked for.
    repository = os.environ.get("HUB_MODEL_ID")
    if repository and trainer.accelerator.is_main_process:
        trainer.model.push_to_hub(repository, private=True)
        tokenizer.push_to_hub(repository, private=True)


if __name__ == "__main__":
    main()
