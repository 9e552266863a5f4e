"""The strategist's corpus, and its tokenizer by transformers, for comparison."""

import random
import re
import sys
from pathlib import Path

from peer import serve

FOLDER = Path(__file__).resolve().parents[3] / "kernel/models/strategist"
sys.path.insert(0, str(FOLDER))

import gate
from corpus import names, tasks
from corpus.random_programs import random_program
from corpus.render import code_of
from corpus.rows import rows as corpus_rows
from grammar import read_program
from states import is_legal, trajectory


def rows(count, seed, answers=1, form=None, edit=None, held_out=False):
    """Rows of the corpus; an open range is left out of `stateVariables`."""
    return [
        {
            "subject": row.task.subject, "environmentPrompt": row.task.prompt, "prompt": row.prompt, "parent": row.parent,
            "codes": row.answers, "programs": row.completions, "kinds": row.kinds,
        }
        for row in drawn(count, seed, answers, form, edit, held_out)
    ]


def drawn(count, seed, answers, form, edit, held_out):
    if not held_out:
        return corpus_rows(seed, count, answers, form, edit)
    with names.held_out():
        return corpus_rows(seed, count, answers, form, edit)


def known(count, seed):
    """Whether each program is read, takes its names from the prompt, and compares nothing with itself."""
    checked = []
    for row in corpus_rows(seed, count, 2):
        for program in row.completions:
            reading = read_program(program)
            checked.append([program, bool(reading) and gate.names_known(row, reading) and not reading.self_comparisons])
    return checked


def states(count, seed):
    """Programs of all forms, with states to play them in."""
    rng = random.Random(seed)
    return [{"code": row.answers[0], "states": trajectory(row.task, rng, 20)} for row in corpus_rows(seed, count)]


def legal(count, seed, actions):
    """Whether the actions that the programs of `states` returned are legal."""
    return [all(is_legal(row.task, action) for action in mine) for row, mine in zip(corpus_rows(seed, count), actions)]


def measured(count, seed):
    """The gate's figures of the corpus itself, for edits of named state."""
    found = corpus_rows(seed, count, 2, "named", True)
    return gate.measure(found, [row.completions[-1] for row in found], seed)


def misses(figures):
    return gate.misses(figures)


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
    """How often programs over two things on one line return each of three actions first, by how they compare the two."""
    rng = random.Random(seed)
    variables = [tasks.Variable(f"state.{name}_x", 0, 160, axis="_x", entity=name) for name in ("first", "second")]
    subject = {"name": "game", "actions": ["NOOP", "RIGHT", "LEFT"], "stateVariables": [{"name": "first_x"}, {"name": "second_x"}]}
    task = tasks.Task(subject, variables, [f'"{action}"' for action in subject["actions"]])
    counts = {}
    for _ in range(count):
        task.draw_states(rng.getrandbits(48))
        found = re.search(r"if \(state\.(first|second)_x ([<>]) state\.(?:first|second)_x\) return \"(\w+)\"", code_of(task, random_program(rng, task)))
        if found:
            way = ">" if (found[1] == "first") == (found[2] == ">") else "<"
            counts[f"{way} {found[3]}"] = counts.get(f"{way} {found[3]}", 0) + 1
    return counts


def words():
    from ale_py import roms

    return {"words": names.WORDS, "heldOut": names.HELD_OUT, "games": sorted(roms.get_all_rom_ids())}


def muon(steps):
    """Matrices of two shapes after some steps with the strategist's optimizer, and with PyTorch's."""
    import torch
    from muon import Muon

    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in [(32, 32), (88, 32), (32, 32), (32, 88)]]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    optimizers = [Muon(ours, 1e-2, 0.05), torch.optim.Muon(theirs, 1e-2, 0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")]
    for _ in range(steps):
        for a, b in zip(ours, theirs):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    return [[p.flatten().tolist() for p in params] for params in (ours, theirs)]


serve({
    "rows": rows, "known": known, "states": states, "legal": legal, "measured": measured, "misses": misses,
    "encode": encode, "directions": directions, "words": words, "muon": muon,
})
