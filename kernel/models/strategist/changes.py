"""What an edit changed, from the texts of a program and its parent."""

import math
import re
from collections import Counter
from difflib import SequenceMatcher

TOKEN = re.compile(r'"[^"]*"|(?:state|last)[\w.$]*|[A-Za-z_]\w*|\d+(?:\.\d+)?|[=!<>]=*|&&|\|\||\S')


def lines_kept(parent: str, child: str) -> float:
    """Share of the parent's lines that stand in the child, in their order."""
    lines = parent.split("\n")
    return sum(block.size for block in SequenceMatcher(None, lines, child.split("\n"), autojunk=False).get_matching_blocks()) / len(lines)


def kinds(parent: str, child: str) -> list[str]:
    """The kinds of the changes, one for each line that differs."""
    before, after = parent.split("\n"), child.split("\n")
    found: list[str] = []
    removed: list[str] = []
    added: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "replace":
            both = min(b - a, d - c)
            found += [line_kind(x, y) for x, y in zip(before[a:a + both], after[c:c + both])]
            removed += before[a + both:b]
            added += after[c + both:d]
        elif tag != "equal":
            removed += before[a:b]
            added += after[c:d]
    moved = set(removed) & set(added)
    found += ["move"] * len(moved) + ["delete"] * sum(line not in moved for line in removed) + ["insert"] * sum(line not in moved for line in added)
    return found


def line_kind(before: str, after: str) -> str:
    """What changed in a line."""
    a, b = TOKEN.findall(before), TOKEN.findall(after)
    if len(a) != len(b):
        return "longer" if len(a) < len(b) else "shorter"
    changed = {token_kind(x) for x, y in zip(a, b) if x != y}
    return changed.pop() if len(changed) == 1 else "several"


def token_kind(token: str) -> str:
    if token[0] == '"':
        return "word"
    if token[0].isdigit():
        return "number"
    if token.startswith(("state", "last")):
        return "variable"
    return "operator"


def entropy(kinds_: list[str]) -> float:
    """Bits."""
    counts = Counter(kinds_)
    total = sum(counts.values())
    return -sum(n / total * math.log2(n / total) for n in counts.values()) if total else 0.0
