"""The strategist's corpus, and its tokenizer by transformers, for comparison."""

import random
import sys
from pathlib import Path

from peer import serve

FOLDER = Path(__file__).resolve().parents[2] / "kernel/models/strategist"
sys.path.insert(0, str(FOLDER))

import corpus
import gate


def pairs(count, seed, programs=1):
    """Tasks with prompts and programs; an open range is null, as JSON has no infinities."""
    return [
        {
            "name": task.name,
            "stateVariables": [
                {"name": v.name, "minimum": finite(v.minimum), "maximum": finite(v.maximum)} for v in task.variables
            ],
            "actions": task.actions,
            "prompt": prompt,
            "programs": answers,
        }
        for task, prompt, answers in corpus.pairs(seed, count, programs)
    ]


def finite(value):
    return value if abs(value) < float("inf") else None


def encode(texts, messages):
    """Token IDs and decoded text of each text, and each message after the chat template."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "checkpoint")
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    chats = [
        tokenizer.apply_chat_template([{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True)
        for message in messages
    ]
    return {"ids": ids, "texts": [tokenizer.decode(row) for row in ids], "chats": chats, "ends": [tokenizer.eos_token_id, tokenizer.pad_token_id]}


def directions(seed, count):
    """How often programs over two things on one line and three actions return each action where the first lies above."""
    rng = random.Random(seed)
    variables = [corpus.Variable("ball_x", 0, 160, axis="_x"), corpus.Variable("paddle_x", 0, 160, axis="_x")]
    task = corpus.Task("game", variables, ["NOOP", "RIGHT", "LEFT"])
    counts = dict.fromkeys(task.actions, 0)
    wanted = "if (state.ball_x > state.paddle_x) return "
    for _ in range(count):
        _, found, rest = corpus.random_program(rng, task).partition(wanted)
        if found:
            counts[rest.split('"')[1]] += 1
    return counts


def words():
    from ale_py import roms

    return {"words": corpus.WORDS, "games": sorted(roms.get_all_rom_ids())}


def read(programs):
    return [program is not None and program.self_comparisons == 0 for program in map(gate.read_program, programs)]


serve({"pairs": pairs, "encode": encode, "directions": directions, "words": words, "read": read})
