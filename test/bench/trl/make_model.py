"""A folder of a model of gpt-oss's shape, with random weights or none: `python make_model.py FOLDER 20b|small|tiny [--weights]`.

Its tokens are bytes and whole programs, so that what a model of random weights
writes is a strategy that plays.
"""

import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GptOssConfig, GptOssForCausalLM, PreTrainedTokenizerFast

SHAPES = {
    "20b": dict(num_hidden_layers=24, num_local_experts=32, vocab_size=201088),
    "small": dict(
        num_hidden_layers=4,
        num_local_experts=8,
        vocab_size=8192,
        hidden_size=512,
        intermediate_size=512,
        head_dim=64,
        num_attention_heads=8,
        num_key_value_heads=2,
    ),
    "tiny": dict(
        num_hidden_layers=2,
        num_local_experts=4,
        vocab_size=2048,
        hidden_size=64,
        intermediate_size=64,
        head_dim=16,
        num_attention_heads=4,
        num_key_value_heads=2,
    ),
}
PROGRAM = """```ts
function strategy(state) {{
  if (state.ball_x > state.paddle_x + {}) return "RIGHT";
  if (state.ball_x < state.paddle_x - {}) return "LEFT";
  return "NOOP";
}}
```
"""
TEMPLATE = "{% for m in messages %}<|start|>{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"


def byte_level(text: str) -> str:
    """The text in the alphabet of byte-level vocabularies."""
    [(piece, _)] = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return piece


def main(folder: str, size: str, weights: str | None = None) -> None:
    shape = SHAPES[size]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    programs = (byte_level(PROGRAM.format(i % 600, i // 600)) for i in range(shape["vocab_size"]))
    vocabulary = {token: i for i, token in enumerate(alphabet)}
    for program in programs:
        if len(vocabulary) == shape["vocab_size"] - 2:
            break
        vocabulary.setdefault(program, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|start|>", special=True), AddedToken("<|return|>", special=True)])
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|return|>", pad_token="<|return|>")
    made.chat_template = TEMPLATE
    made.save_pretrained(folder)
    end = made.eos_token_id
    config = GptOssConfig(**shape, eos_token_id=end, pad_token_id=end, bos_token_id=None)
    if weights is None:
        config.save_pretrained(folder)
    else:
        GptOssForCausalLM(config).bfloat16().save_pretrained(folder)


main(*sys.argv[1:])
