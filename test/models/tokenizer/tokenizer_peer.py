"""Tokenizers as the families of models have them, trained on this repository's text, and what transformers makes of texts and conversations."""

import json
import os

from peer import serve
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def byte_level(corpus, pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def split(pattern):
    parts = [pre_tokenizers.Split(Regex(pattern), "isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    return pre_tokenizers.Sequence(parts)


def sentence_piece(corpus, normalizer, pre_tokenizer, decoder):
    """BPE over characters; what has no token is written in bytes."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizer
    if pre_tokenizer:
        trained.pre_tokenizer = pre_tokenizer
    else:
        # Training needs words; the tokenizer itself splits nothing.
        trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trained.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=1000, special_tokens=special, limit_alphabet=60, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    return tokenizer


def begin(tokenizer, token):
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, tokenizer.token_to_id(token))])


def llama3(corpus):
    tokenizer = byte_level(corpus, split(LLAMA3))
    tokenizer.model.ignore_merges = True
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"])
    begin(tokenizer, "<|begin_of_text|>")
    return tokenizer, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}


def qwen(corpus):
    tokenizer = byte_level(corpus, split(QWEN), normalizers.NFC())
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in ("<think>", "</think>", "<tool_call>", "</tool_call>")])
    return tokenizer, {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": False}


def smollm(corpus):
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer = byte_level(corpus, digits)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return tokenizer, {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}


def llama2(corpus):
    normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    tokenizer = sentence_piece(corpus, normalizer, None, decoder)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    begin(tokenizer, "<s>")
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def mistral(corpus):
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    space = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tokenizer = sentence_piece(corpus, normalizers.Sequence([]), space, decoder)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"])
    begin(tokenizer, "<s>")
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def gemma(corpus):
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = sentence_piece(corpus, normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous"), decoder)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", "<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in ("\n\n", "\n\n\n", "▁▁", "▁▁▁▁", "<table>")])
    begin(tokenizer, "<bos>")
    return tokenizer, {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}


FAMILIES = {"llama3": llama3, "qwen": qwen, "smollm": smollm, "llama2": llama2, "mistral": mistral, "gemma": gemma}


def make_tokenizer(folder, family, corpus, template=None):
    os.makedirs(folder, exist_ok=True)
    tokenizer, settings = FAMILIES[family](corpus)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **settings}, file)
    if template is not None:
        with open(os.path.join(folder, "chat_template.jinja"), "w") as file:
            file.write(template)
    return tokenizer.get_vocab_size()


def encode(folder, texts):
    """For each text its IDs with and without special tokens, and the texts of the first, with and without special tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    results = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        results.append(
            {
                "ids": ids,
                "plain": tokenizer(text, add_special_tokens=False)["input_ids"],
                "text": tokenizer.decode(ids),
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )
    return results


def chat(folder, conversations):
    """What the template makes of each, or the message of its error."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    results = []
    for messages, options in conversations:
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
            results.append({"text": text, "ids": tokenizer.apply_chat_template(messages, return_dict=False, **options)})
        except Exception as error:
            results.append({"error": str(error)})
    return results


serve({"make_tokenizer": make_tokenizer, "encode": encode, "chat": chat})
