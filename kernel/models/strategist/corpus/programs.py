"""Programs as small trees: decision lists over terms, and their values on a task's random states.

A term is a tuple `(kind, i, k, offset)`; its number is, before the offset:
`v` variable i, `d` its change since the last call, `p` variable i + k × change,
`s` variable i − variable k, `a` the size of that difference, `e` the size of the change,
`m` variable i modulo k (i = −1: the program's own counter), `n` that counter, `o` the mode,
`l` local constant i, `c` nothing, so that the offset is all.

A condition is `("?", left, operator, right)` over two terms, `("!", i, wanted)` of a boolean,
or `("=", i, operator, value)` of a choice. A rule is `(conditions, joiner, action)`.
"""

import numpy as np

from .tasks import Task

OPPOSITE = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "===": "!==", "!==": "==="}
COMPARE = {"<": np.less, ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal, "===": np.equal, "!==": np.not_equal}
#: Kinds of terms that need the state of the call before.
MEMORY = frozenset("dpe")


class Program:
    """A decision list: the first rule that holds tells the action, else `default`."""

    __slots__ = ("rules", "default", "locals", "counter", "mode", "style")

    def __init__(self, rules, default, locals_=(), counter=None, mode=None, style="plain"):
        self.rules, self.default, self.locals, self.counter, self.mode, self.style = rules, default, locals_, counter, mode, style

    def copy(self) -> "Program":
        return Program(list(self.rules), self.default, self.locals, self.counter, self.mode, self.style)

    def conditions(self):
        for conditions, _, _ in self.rules:
            yield from conditions
        if self.mode:
            yield from self.mode[1:]

    def terms(self):
        """All its terms, those of its local constants too."""
        for condition in self.conditions():
            if condition[0] == "?":
                yield condition[1]
                yield condition[3]
        for _, term in self.locals:
            yield term


def term_values(task: Task, program: Program, term: tuple) -> np.ndarray | float:
    """The term's number in each of the task's states."""
    kind, i, k, offset = term
    if kind == "c":
        return offset
    if kind == "l":
        return term_values(task, program, program.locals[i][1]) + offset
    known = task.cache.get(term)
    if known is not None:
        return known
    if kind == "v":
        value = task.now[i] + offset
    elif kind == "d":
        value = task.change[i] + offset
    elif kind == "p":
        value = task.now[i] + (k * task.change[i] + offset)
    elif kind == "s":
        value = task.now[i] - task.now[k] + offset
    elif kind == "a":
        value = np.abs(task.now[i] - task.now[k])
    elif kind == "e":
        value = np.abs(task.change[i])
    elif kind == "m":
        value = (task.calls if i < 0 else task.now[i]) % k
    else:
        value = task.calls + offset
    task.cache[term] = value
    return value


def condition_values(task: Task, program: Program, condition: tuple) -> np.ndarray:
    """Whether the condition holds, in each of the task's states."""
    kind = condition[0]
    if kind == "?":
        _, left, operator, right = condition
        own = left[0] in "lo" or right[0] == "l"
        known = None if own else task.cache.get(condition)
        if known is None:
            first = mode_values(task, program) if left[0] == "o" else term_values(task, program, left)
            known = COMPARE[operator](first, term_values(task, program, right))
            if not own:
                task.cache[condition] = known
        return known
    if kind == "!":
        value = task.now[condition[1]] > 0.5
        return value if condition[2] else ~value
    value = task.now[condition[1]] == condition[3]
    return value if condition[2] == "===" else ~value


def mode_values(task: Task, program: Program) -> np.ndarray:
    _, on, off = program.mode
    return np.where(condition_values(task, program, on), 1, np.where(condition_values(task, program, off), 0, task.before))


def rule_values(task: Task, program: Program, rule: tuple) -> np.ndarray:
    conditions, joiner, _ = rule
    value = condition_values(task, program, conditions[0])
    for condition in conditions[1:]:
        other = condition_values(task, program, condition)
        value = value & other if joiner == "&&" else value | other
    return value


def behaviour(task: Task, program: Program) -> tuple[list[str], int]:
    """The action in each of the task's states, and how many rules never tell it."""
    actions = [rule[2] for rule in program.rules] + [program.default]
    chosen = np.full(len(task.calls), len(program.rules))
    open_ = np.ones(len(task.calls), bool)
    dead = 0
    for i, rule in enumerate(program.rules):
        holds = rule_values(task, program, rule) & open_
        if holds.any():
            chosen[holds] = i
            open_ &= ~holds
        else:
            dead += 1
    # A last rule that returns what is returned without it is as good as dead.
    dead += len(actions) > 1 and actions[-1] == actions[-2]
    return [actions[i] for i in chosen.tolist()], dead


def tidy(program: Program) -> None:
    """Drops local constants, a counter and a mode that no rule uses."""
    kinds = {term[0] for condition in program.conditions() if condition[0] == "?" for term in (condition[1], condition[3])}
    counts = any(term[0] == "n" or (term[0] == "m" and term[1] < 0) for term in program.terms())
    if program.locals and "l" not in kinds:
        program.locals = ()
    if program.mode and "o" not in kinds:
        program.mode = None
        counts = any(term[0] == "n" or (term[0] == "m" and term[1] < 0) for term in program.terms())
    if program.counter and not counts:
        program.counter = None


def uses_memory(program: Program) -> bool:
    return any(term[0] in MEMORY for term in program.terms())
