"""TRL's own SFTTrainer: what it makes of rows, what it logs, and the weights it ends with."""

import dataclasses
import tempfile

import torch
from datasets import Dataset
from peer import serve
from peft import PeftModel
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

torch.set_num_threads(1)

# With blocks that own a line, and with tags that take whitespace away.
TEMPLATE = """{%- if tools %}{{- '<|system|>' + tools | map(attribute='function') | map(attribute='name') | join(', ') }}{% endif %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|assistant|>' }}
        {% generation %}
        {{- message.content + eos_token }}
        {%- endgeneration -%}
    {%- else %}
        {{- '<|' + message.role + '|>' + message.content }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""


def make_model(folder):
    """A random checkpoint with a byte-level tokenizer."""
    torch.manual_seed(0)
    vocabulary = {"<eos>": 0, "<|user|>": 1, "<|assistant|>": 2, "<|system|>": 3}
    special = list(vocabulary)
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "n"), ("a", "n"), ("e", "r"), ("o", "n"), ("Ġ", "a")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>", chat_template=TEMPLATE)
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        eos_token_id=0,
        bos_token_id=None,
        pad_token_id=None,
    )
    model = LlamaForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if parameter.dim() == 1 else 0.0, std=0.2)
    model.save_pretrained(folder)


def plain_name(name):
    """A parameter's name as in the checkpoint; factors of an adapter as Joylab calls them."""
    return name.removeprefix("base_model.model.").replace(".base_layer", "").replace(".default", "")


def make_trainer(folder, adapter, rows, evaluation, settings, output):
    model = AutoModelForCausalLM.from_pretrained(folder)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
    return SFTTrainer(
        model=model,
        processing_class=AutoTokenizer.from_pretrained(folder),
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(evaluation) if evaluation else None,
        args=SFTConfig(
            output_dir=output,
            report_to="none",
            save_strategy="no",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
            **{"logging_steps": 1, "train_sampling_strategy": "sequential", **settings},
        ),
    )


def prepare(folder, rows, settings):
    """Token IDs and labels of the rows that TRL trains on; of packed rows also the lengths of their sequences."""
    with tempfile.TemporaryDirectory() as output:
        trainer = make_trainer(folder, None, rows, None, settings, output)
        return [{key: row[key] for key in ("input_ids", "labels", "seq_lengths") if key in row} for row in trainer.train_dataset]


def train(folder, adapter, rows, evaluation, settings, out):
    """Trains; returns the log and writes the trained weights."""
    with tempfile.TemporaryDirectory() as output:
        trainer = make_trainer(folder, adapter, rows, evaluation, settings, output)
        trained = {plain_name(name): parameter for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
        trainer.train()
    save_file({name: parameter.detach().clone().contiguous() for name, parameter in trained.items()}, out)
    return trainer.state.log_history[:-1]


def defaults():
    """TRL's settings and the defaults of those that JSON can say."""
    fields = [field for field in dataclasses.fields(SFTConfig) if not field.name.startswith("_")]
    plain = (bool, int, float, str, type(None))
    return {field.name: field.default if isinstance(field.default, plain) else "?" for field in fields}


serve({"defaults": defaults, "make_model": make_model, "prepare": prepare, "train": train})
