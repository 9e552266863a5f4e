"""Writes a random Llama checkpoint with a tokenizer, and a prompt of a given length.

Usage: make_checkpoint.py FOLDER '{"prompt_tokens": 180, "model": {LlamaConfig settings}}'
The tokenizer is a byte-level BPE whose merges are pairs of characters. Its end
token is the one after the model's vocabulary, which no model can sample: every
completion takes as many tokens as it may.
"""

import itertools
import json
import os
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = "a model writes programs that play games and learns from what they score ".split()


def make_tokenizer(vocab_size):
    vocabulary = {character: i for i, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    merges = list(itertools.islice(itertools.product(list(vocabulary), repeat=2), vocab_size - len(vocabulary)))
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    assert fast.eos_token_id == vocab_size
    return fast


def make_prompt(tokenizer, length):
    text = ""
    for character in " ".join(itertools.chain.from_iterable(itertools.repeat(WORDS, 1000))):
        text += character
        if len(tokenizer(text)["input_ids"]) == length:
            return text
    raise ValueError(f"no prompt of {length} tokens")


if __name__ == "__main__":
    folder, given = sys.argv[1], json.loads(sys.argv[2])
    torch.manual_seed(0)
    vocab_size = given["model"]["vocab_size"]
    config = LlamaConfig(**given["model"], eos_token_id=vocab_size, bos_token_id=None, pad_token_id=None)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = make_tokenizer(vocab_size)
    tokenizer.save_pretrained(folder)
    with open(os.path.join(folder, "prompt.txt"), "w") as file:
        file.write(make_prompt(tokenizer, given["prompt_tokens"]))
