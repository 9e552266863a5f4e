"""Models and adapters by transformers and PEFT, for comparison."""

import os

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peer import serve
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.set_num_threads(1)
SIZES = dict(
    vocab_size=300,
    hidden_size=48,
    intermediate_size=80,
    num_hidden_layers=3,
    num_attention_heads=6,
    max_position_embeddings=128,
    eos_token_id=0,
    bos_token_id=None,
    pad_token_id=0,
)
TEMPLATE = (
    "{% for message in messages %}{{ '[' + message.role + '] ' + message.content + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def make_model(folder, dtype="float32", max_shard_size="1GB", **settings):
    """A random checkpoint with a byte-level tokenizer."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**{**SIZES, **settings}))
    # transformers' initial weights are small: larger ones make attention and norms matter.
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if parameter.dim() == 1 else 0.0, std=0.15)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=max_shard_size)
    vocabulary = {"<eos>": 0}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "n")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>", chat_template=TEMPLATE)
    fast.save_pretrained(folder)
    return sorted(os.listdir(folder))


@torch.no_grad()
def logits(folder, ids, out, adapter=None):
    """Logits of a sequence, written to `out`."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    save_file({"logits": model(torch.tensor([ids])).logits[0].contiguous()}, out)


def make_adapter(folder, adapter, **settings):
    """A PEFT adapter of random factors."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(adapter)


def greedy(folder, ids, count, **settings):
    """The most likely completion and, for each token, its log-probability."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    output = model.generate(
        torch.tensor([ids]), do_sample=False, max_new_tokens=count, eos_token_id=None, return_dict_in_generate=True, output_logits=True, **settings
    )
    completion = output.sequences[0, len(ids) :]
    logprobs = torch.stack(output.logits, 1)[0].log_softmax(-1).gather(1, completion[:, None])[:, 0]
    return {"ids": completion.tolist(), "logprobs": logprobs.tolist()}


def tokenize(folder, texts, messages):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in texts]
    return {
        "ids": ids,
        "texts": [tokenizer.decode(one) for one in ids],
        "chat": tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True),
    }


serve({"make_model": make_model, "logits": logits, "make_adapter": make_adapter, "greedy": greedy, "tokenize": tokenize})
