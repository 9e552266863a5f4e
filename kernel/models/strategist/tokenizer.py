"""The strategist's tokenizer: byte-level BPE with 1,536 tokens.

Text is cut before BPE so that a name has the same tokens wherever it stands:
words (with capital or lower-case letters), short suffixes such as `_x`, and
numbers are pieces of their own. Everything else, that is punctuation, spaces,
and the words of the language and of the prompt's fixed sentences, may merge:
`";\n  if (state.` is one token.
"""

import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus import rows

VOCABULARY = 1536
PAD, END, SYSTEM, USER, ASSISTANT = SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]

#: Words that may merge with what is around them, unless they are names: of a field (after a dot) or an action (in quotes).
GLUE = (
    "if else return const let for of function strategy state last before Math ts true false null "
    "Write a short TypeScript that plays The It returns one action from to an object array integer integers number boolean or "
    "Variables outside the keep their values between calls "
    "Change this program Another which scored best so far Its episode steps terminated truncated timeout error in line Rewards item"
).split()
#: Words that may merge after a dot.
METHODS = "abs min max round length filter includes indexOf some reduce".split()
_LETTER = r"[\p{L}\p{N}_]"
PIECES = "|".join([
    rf"(?:(?<![\p{{L}}\p{{N}}_.\"])(?:{'|'.join(GLUE)})(?!{_LETTER})|(?<=\.)(?:{'|'.join(METHODS)})(?!{_LETTER})|[^\p{{L}}\p{{N}}_])+",  # what may merge
    r"_\p{Ll}{1,2}(?!\p{Ll})",  # _x, _dy
    r"\p{Lu}?\p{Ll}+",
    r"\p{Lu}+",
    r"\p{N}{1,3}",
    r"_",
])

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def chat(prompt: str) -> str:
    """The prompt as the model sees it: what the chat template makes of one user message."""
    return f"{USER}{prompt}{END}{ASSISTANT}"


def train(seed: int = 0, prompts: int = 12000, answers: int = 2) -> Tokenizer:
    """Learns the merges from a sample of the corpus."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    sample = (text for row in rows.rows(seed, prompts, answers) for text in (row.prompt, *row.completions))
    tokenizer.train_from_iterator(sample, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Writes the tokenizer's files of a Hugging Face folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = {"pad_token": PAD, "eos_token": END}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **roles,
        "additional_special_tokens": [SYSTEM, USER, ASSISTANT],
        "model_max_length": context,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    })
    write_json(folder / "special_tokens_map.json", {**roles, "additional_special_tokens": [SYSTEM, USER, ASSISTANT]})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    save(train(), Path(sys.argv[1]), context=1024)
