"""The gate: does the base model write, and change, programs well enough to be trained with GRPO?

Samples programs, at temperature 1, for prompts of each form with names that
the corpus never has. `python gate.py [folder]` prints the figures and exits
with 1 where one misses its gate. Programs are run by Node.js, where there is
one; without it `valid` means that the program can be read as one of the
corpus's language, and whether edits act as their parents is not known; so
`--save FILE` on the machine with the GPU, and `--samples FILE` on one with
Node.js. `--corpus` measures the corpus itself in the model's place.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

from changes import entropy, kinds, lines_kept
from corpus import names
from corpus.rows import Row, rows
from grammar import code_in, read_program
from states import is_legal, names_of, trajectory

HELD_OUT_SEED = 1_000_003
FORMS = {
    "named fresh": ("named", False),
    "named edit": ("named", True),
    "schema fresh": ("schema", False),
    "schema edit": ("schema", True),
    "objects fresh": ("objects", False),
    "objects edit": ("objects", True),
}
#: Figure, whether it must lie above or below, and its gate; a gate that is a text is another figure, with how far it may be away.
GATES = [
    ("valid", ">=", 0.98),
    ("names", ">=", 0.96),
    ("self_comparison", "<=", 0.05),
    ("identical", "<=", 0.02),
    ("same_behaviour", "<=", 0.2),
    ("lines_kept", "lines_kept_corpus", 0.05),
    ("entropy", "entropy_corpus", 0.5),
]
#: Calls of each program.
CALLS = 128


# ---------------------------------------------------------------- sampling

def sample(model, tokenizer, prompts: list[str], seed: int, batch: int, most: int = 384) -> list[str]:
    """Completions at temperature 1, one for each prompt; an unfinished one is empty."""
    import torch
    from tokenizer import chat

    torch.manual_seed(seed)
    completions = [""] * len(prompts)
    texts = [chat(prompt) for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), batch):
        chosen = order[start:start + batch]
        inputs = tokenizer([texts[i] for i in chosen], return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False).to(model.device)
        with torch.no_grad():
            output = model.generate(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], do_sample=True, temperature=1.0,
                top_k=0, top_p=1.0, max_new_tokens=most, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
            )
        for i, ids in zip(chosen, output[:, inputs["input_ids"].shape[1]:].tolist()):
            if tokenizer.eos_token_id in ids:
                completions[i] = tokenizer.decode(ids, skip_special_tokens=True)
    return completions


# ---------------------------------------------------------------- measuring

def play(programs: list[tuple[str, list[dict]]]) -> list | None:
    """What programs return in their states: lists of actions, or objects with an error; None without Node.js."""
    node = shutil.which("node")
    if not node:
        return None
    lines = "".join(json.dumps({"code": code, "states": states}) + "\n" for code, states in programs)
    done = subprocess.run([node, str(Path(__file__).parent / "play.mjs")], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(form_rows: list[Row], completions: list[str], seed: int) -> dict[str, float | None]:
    """Figures of one form; those after `valid` are rates among the valid programs."""
    rng = random.Random(seed)
    codes = [code_in(completion) or "" for completion in completions]
    readings = [read_program(completion) for completion in completions]
    played = play([it for row, code in zip(form_rows, codes) for it in with_parent(row, code, trajectory(row.task, rng, CALLS))])
    actions = played and played[0::2]
    valid = [i for i, reading in enumerate(readings) if reading and (not actions or plays(form_rows[i], actions[i]))]

    def rate(holds) -> float:
        return round(sum(holds(i) for i in valid) / max(1, len(valid)), 4)

    figures = {
        "valid": round(len(valid) / len(completions), 4),
        "names": rate(lambda i: names_known(form_rows[i], readings[i])),
        "self_comparison": rate(lambda i: readings[i].self_comparisons > 0),
        "constant": rate(lambda i: len({json.dumps(a) for a in actions[i]} if actions else readings[i].returned) < 2),
        "memory": rate(lambda i: readings[i].memory),
    }
    if form_rows[0].parent:
        figures |= {
            "identical": rate(lambda i: codes[i] == form_rows[i].parent),
            "same_behaviour": rate(lambda i: actions[i] == played[2 * i + 1]) if played else None,
            "lines_kept": rate(lambda i: lines_kept(form_rows[i].parent, codes[i])),
            "lines_kept_corpus": round(sum(lines_kept(row.parent, row.answers[0]) for row in form_rows) / len(form_rows), 4),
            "entropy": round(entropy([kind for i in valid for kind in kinds(form_rows[i].parent, codes[i])]), 3),
            "entropy_corpus": round(entropy([kind for row in form_rows for kind in kinds(row.parent, row.answers[0])]), 3),
        }
    return figures


def with_parent(row: Row, code: str, states: list[dict]) -> list[tuple[str, list[dict]]]:
    return [(code, states), (row.parent or "function strategy() {}", states if row.parent else [])]


def plays(row: Row, actions) -> bool:
    return isinstance(actions, list) and all(is_legal(row.task, action) for action in actions)


def names_known(row: Row, reading) -> bool:
    fields, inner, words = names_of(row.task)
    return reading.fields <= fields and reading.properties <= inner and reading.keys <= inner and reading.strings <= words


def misses(figures: dict[str, float | None]) -> list[str]:
    """Which gates the figures miss, in words."""
    found = []
    for name, how, gate in GATES:
        value = figures.get(name)
        if value is None:
            continue
        if how in figures:
            if abs(value - figures[how]) > gate:
                found.append(f"{name} {value}, not within {gate} of the corpus's {figures[how]}")
        elif value < gate if how == ">=" else value > gate:
            found.append(f"{name} {value}, not {how} {gate}")
    return found


def table(all_figures: dict[str, dict]) -> str:
    columns = list(dict.fromkeys(name for figures in all_figures.values() for name in figures))
    lines = [["", *all_figures], *([name, *(text(figures.get(name)) for figures in all_figures.values())] for name in columns)]
    return "\n".join("| " + " | ".join(cell.ljust(18 if i == 0 else 13) for i, cell in enumerate(line)) + " |" for line in lines)


def text(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "checkpoint")
    parser.add_argument("--prompts", type=int, default=1000, help="of each form")
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    parser.add_argument("--corpus", action="store_true", help="measure the corpus's own programs")
    parser.add_argument("--save", type=Path, help="keep the prompts and what the model answered")
    parser.add_argument("--list", action="store_true", help="print the prompts of each form, for another engine to answer")
    parser.add_argument("--samples", type=Path, help="measure answers that were kept")
    args = parser.parse_args()
    if args.list:
        print(json.dumps({name: [row.prompt for row in form_rows(name, args)] for name in FORMS}))
        return
    answer = answers_of_corpus if args.corpus else kept_answers(args.samples) if args.samples else answers_of_model(args.folder, args.seed)
    all_figures, kept, missed = {}, {}, []
    for name in FORMS:
        asked = form_rows(name, args)
        completions = answer(name, asked)
        kept[name] = [[row.prompt, completion] for row, completion in zip(asked, completions)]
        if args.save:
            args.save.write_text(json.dumps(kept))
        all_figures[name] = measure(asked, completions, args.seed)
        missed += [f"{name}: {miss}" for miss in misses(all_figures[name])]
    if not shutil.which("node"):
        print("without Node.js: programs were read, not run", file=sys.stderr)
    print(table(all_figures), file=sys.stderr)
    print(json.dumps(all_figures))
    if missed:
        sys.exit("below the gate:\n" + "\n".join(missed))


def form_rows(name: str, args: argparse.Namespace) -> list[Row]:
    with names.held_out():
        return rows(args.seed, args.prompts, 2, *FORMS[name], inspired=0)


def answers_of_corpus(_: str, form_rows: list[Row]) -> list[str]:
    """The second answers stand in for the model's: the first are what it is compared with."""
    return [row.completions[-1] for row in form_rows]


def answers_of_model(folder: Path, seed: int):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    cuda = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to("cuda" if cuda else "cpu").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return lambda _, form_rows: sample(model, tokenizer, [row.prompt for row in form_rows], seed, batch=1024 if cuda else 64)


def kept_answers(file: Path):
    kept = json.loads(file.read_text())

    def answers(name: str, form_rows: list[Row]) -> list[str]:
        found = dict(kept[name])
        if any(row.prompt not in found for row in form_rows):
            raise SystemExit(f"{file} answers other prompts: it was made with another seed, number of prompts or corpus")
        return [found[row.prompt] for row in form_rows]

    return answers


if __name__ == "__main__":
    main()
