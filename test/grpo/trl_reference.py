"""What TRL's GRPOTrainer makes of given completions and rewards.

Reads a list of scenarios from standard input and writes what TRL logged:
{"scenarios": [{settings, completion_ids, rewards: {name: [..]}}], "schedules": [{type, warmup, total, lr}]}.
The model is tiny: only its completions' scores matter here.
"""

import json
import sys
import tempfile

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, get_scheduler
from trl import GRPOConfig, GRPOTrainer

WORDS = ["<pad>", "<eos>", *[f"w{i}" for i in range(30)]]


def make_tokenizer():
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")


def run(scenario):
    completion_ids = scenario["completion_ids"]

    def reward_function(name, values):
        def function(prompts, **_):
            assert len(prompts) == len(values)
            return values

        function.__name__ = name
        return function

    def rollout(prompts, trainer):
        return {
            "prompt_ids": [[2, 3, 4]] * len(prompts),
            "completion_ids": completion_ids,
            "logprobs": [[-1.0] * len(ids) for ids in completion_ids],
        }

    config = LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=LlamaForCausalLM(config),
            processing_class=make_tokenizer(),
            reward_funcs=[reward_function(name, values) for name, values in scenario["rewards"].items()],
            train_dataset=Dataset.from_list([{"prompt": "w2 w3 w4"}] * 64),
            rollout_func=rollout,
            args=GRPOConfig(
                output_dir=folder,
                max_steps=1,
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                use_cpu=True,
                gradient_checkpointing=False,
                disable_tqdm=True,
                per_device_train_batch_size=len(completion_ids),
                max_completion_length=16,
                **scenario["settings"],
            ),
        )
        trainer.train()
    return {"advantages": list(trainer._logs["advantages"]), "log": trainer.state.log_history[0]}


def schedule(given):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=given["lr"])
    scheduler = get_scheduler(given["type"], optimizer, num_warmup_steps=given["warmup"], num_training_steps=given["total"])
    rates = []
    for _ in range(given["total"]):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


if __name__ == "__main__":
    given = json.load(sys.stdin)
    output = {
        "scenarios": [run(scenario) for scenario in given["scenarios"]],
        "schedules": [schedule(one) for one in given["schedules"]],
    }
    sys.stdout.write("\nRESULT" + json.dumps(output))
