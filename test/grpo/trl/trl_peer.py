"""TRL's own GRPOTrainer on given completions and rewards: what it logs, and the weights it ends with."""

import dataclasses
import tempfile

import torch
import trl.trainer.grpo_trainer as grpo_trainer
from datasets import Dataset
from peer import serve
from peft import PeftModel
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, get_scheduler
from transformers.trainer_callback import TrainerState
from trl import GRPOConfig, GRPOTrainer

torch.set_num_threads(1)

WORDS = ["<eos>", *[f"w{i}" for i in range(1, 64)]]


def make_tokenizer():
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="w1"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")


def make_model(folder, eos_token_id=0):
    """A random checkpoint; its tokenizer's end token is 0, whatever the model's are."""
    torch.manual_seed(0)
    sizes = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    # Without a padding token: PyTorch would not train its embedding.
    config = LlamaConfig(
        **sizes, num_key_value_heads=2, max_position_embeddings=64, eos_token_id=eos_token_id, bos_token_id=None, pad_token_id=None
    )
    model = LlamaForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if parameter.dim() == 1 else 0.0, std=0.2)
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)


def plain_name(name):
    """A parameter's name as in the checkpoint; factors of an adapter as Joylab calls them."""
    return name.removeprefix("base_model.model.").replace(".base_layer", "").replace(".default", "")


def train(folder, adapter, settings, generations, orders, evaluation, out):
    """Trains on given generations, one after the other; returns the log and writes the trained weights.

    A generation has the token IDs of each completion and of its prompt, and the rewards by function. `orders` holds
    the order into which TRL's random shuffle brings each generation.
    """
    model = AutoModelForCausalLM.from_pretrained(folder)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
    given, shuffles = iter(generations), iter(orders)
    current = {}

    def rollout(prompts, trainer):
        current.clear()
        current.update(next(given) if trainer.model.training else evaluation)
        return {
            "prompt_ids": current["prompt_ids"],
            "completion_ids": current["completion_ids"],
            # As without a rollout function: the policy's own are computed where they are needed.
            "logprobs": None,
        }

    def reward(name):
        def function(prompts, **_):
            return current["rewards"][name]

        function.__name__ = name
        return function

    def shuffle(batch):
        order = next(shuffles)
        return {key: value[order] if isinstance(value, torch.Tensor) and value.dim() else value for key, value in batch.items()}

    original = grpo_trainer.shuffle_sequence_dict
    grpo_trainer.shuffle_sequence_dict = shuffle
    try:
        with tempfile.TemporaryDirectory() as output:
            trainer = GRPOTrainer(
                model=model,
                processing_class=make_tokenizer(),
                reward_funcs=[reward(name) for name in generations[0]["rewards"]],
                train_dataset=Dataset.from_list([{"prompt": "w1"}] * 64),
                eval_dataset=Dataset.from_list([{"prompt": "w1"}] * 2) if evaluation else None,
                rollout_func=rollout,
                args=GRPOConfig(
                    output_dir=output,
                    report_to="none",
                    save_strategy="no",
                    use_cpu=True,
                    bf16=False,
                    gradient_checkpointing=False,
                    disable_tqdm=True,
                    disable_dropout=True,
                    **{"logging_steps": 1, **settings},
                ),
            )
            trained = {
                plain_name(name): parameter
                for name, parameter in model.named_parameters()
                if parameter.requires_grad and ".ref." not in name
            }
            trainer.train()
    finally:
        grpo_trainer.shuffle_sequence_dict = original
    if out:
        save_file({name: parameter.detach().clone().contiguous() for name, parameter in trained.items()}, out)
    return {"log": trainer.state.log_history[:-1], "advantages": list(trainer._logs["advantages"])}


def plain_trainer(folder, **settings):
    """A trainer that is not to train."""
    with tempfile.TemporaryDirectory() as output:
        return GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder),
            processing_class=make_tokenizer(),
            reward_funcs=[lambda completions, **_: [0.0] * len(completions)],
            train_dataset=Dataset.from_list([{"prompt": "w1"}] * 8),
            args=GRPOConfig(output_dir=output, report_to="none", use_cpu=True, bf16=False, **settings),
        )


def end_tokens(folder):
    """The tokens that end a completion in TRL's training."""
    return plain_trainer(folder).eos_token_ids


def warned(folder, cases):
    """Whether TRL warns of settings of the loss, for each of several."""
    said = []
    original = grpo_trainer.logger.warning
    grpo_trainer.logger.warning = lambda message, *_: said.append(message)
    counts = []
    try:
        for settings in cases:
            said.clear()
            plain_trainer(folder, **settings)
            counts.append(sum("importance_sampling_level" in message for message in said))
    finally:
        grpo_trainer.logger.warning = original
    return counts


def schedule(type, warmup, total, lr, kwargs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = get_scheduler(type, optimizer, warmup, total, kwargs)
    rates = []
    for _ in range(total):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def trainer_state(path):
    """A checkpoint's trainer_state.json as transformers reads it."""
    state = TrainerState.load_from_json(path)
    return {"global_step": state.global_step, "max_steps": state.max_steps, "epoch": state.epoch, "log_history": state.log_history}


def defaults():
    """TRL's settings with the defaults of those that JSON can say, where one follows from others as TRL fills it in."""
    config = GRPOConfig(use_cpu=True, bf16=False)
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(GRPOConfig) if not field.name.startswith("_")}
    values = {name: getattr(value, "value", value) for name, value in values.items()}
    return {name: value if isinstance(value, (bool, int, float, str, type(None))) else "?" for name, value in values.items()}


def load_adapter(folder, adapter):
    """Whether PEFT reads a checkpoint's adapter: the norm of its factors."""
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), adapter)
    return sum(p.norm().item() ** 2 for name, p in model.named_parameters() if "lora_" in name) ** 0.5


served = (make_model, train, end_tokens, warned, schedule, defaults, trainer_state, load_adapter)
serve({function.__name__: function for function in served})
