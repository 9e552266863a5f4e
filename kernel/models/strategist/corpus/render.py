"""Programs as TypeScript."""

from .programs import Program, uses_memory
from .prompts import number
from .tasks import Task


def code_of(task: Task, program: Program) -> str:
    """The source of `strategy(state)`, with what stands outside of it."""
    memory = uses_memory(program)
    outside, setup = needs(task, program)
    if memory:
        outside.append("let before;")
    if program.counter:
        outside.append(f"let {program.counter} = 0;")
    if program.mode:
        outside.append(f"let {program.mode[0]} = 0;")
    body = [*memory * ("const last = before ?? state;", "before = state;")]
    if program.counter:
        body.append(f"{program.counter}++;")
    body += setup
    body += [f"const {name} = {term_text(task, program, term)};" for name, term in program.locals]
    if program.mode:
        name, on, off = program.mode
        body += [f"if ({condition_text(task, program, on)}) {name} = 1;", f"else if ({condition_text(task, program, off)}) {name} = 0;"]
    body += rules_text(task, program)
    return "".join(f"{line}\n" for line in outside) + "function strategy(state) {\n" + "".join(f"  {line}\n" for line in body) + "}"


def completion(code: str) -> str:
    return f"```ts\n{code}\n```"


def needs(task: Task, program: Program) -> tuple[list[str], list[str]]:
    """Lines that work out what the program uses: outside of the function, and at its beginning."""
    outside: dict[str, None] = {}
    setup: dict[str, None] = {}
    for i in sorted(used_variables(program)):
        if i >= 0:
            variable = task.variables[i]
            if variable.helper:
                outside["\n".join(variable.helper)] = None
            for line in variable.setup:
                setup[line] = None
    return list(outside), list(setup)


def used_variables(program: Program) -> set[int]:
    used: set[int] = set()
    for condition in program.conditions():
        if condition[0] != "?":
            used.add(condition[1])
    for kind, i, k, _ in program.terms():
        if kind in "vdpem":
            used.add(i)
        elif kind in "sa":
            used.update((i, k))
    return used


def rules_text(task: Task, program: Program) -> list[str]:
    tests = [(rule_text(task, program, rule), rule[2]) for rule in program.rules]
    if not tests:
        return [f"return {program.default};"]
    if program.style == "plain" or (program.style == "else" and len(tests) > 1):
        word = "if" if program.style == "plain" else "else if"
        return [f"{word if i else 'if'} ({test}) return {action};" for i, (test, action) in enumerate(tests)] + [f"return {program.default};"]
    if program.style == "else" and not program.default.startswith("{"):
        return [f"return {tests[0][0]} ? {tests[0][1]} : {program.default};"]
    lines = []
    for i, (test, action) in enumerate(tests):
        lines += [f"{'} else if' if i else 'if'} ({test}) {{", f"  return {action};"]
    return [*lines, "} else {", f"  return {program.default};", "}"]


def rule_text(task: Task, program: Program, rule: tuple) -> str:
    conditions, joiner, _ = rule
    return f" {joiner} ".join([condition_text(task, program, condition) for condition in conditions])


def condition_text(task: Task, program: Program, condition: tuple) -> str:
    kind = condition[0]
    if kind == "?":
        return f"{term_text(task, program, condition[1])} {condition[2]} {term_text(task, program, condition[3])}"
    variable = task.variables[condition[1]]
    if kind == "=":
        return f"{variable.text} {condition[2]} {variable.values[condition[3]]}"
    if condition[2]:
        return variable.text
    return variable.text.replace(" === ", " !== ") if " === " in variable.text and "(" not in variable.text else f"!{variable.text}"


def term_text(task: Task, program: Program, term: tuple) -> str:
    kind, i, k, offset = term
    if kind == "c":
        return number(offset)
    if kind == "l":
        text = program.locals[i][0]
    elif kind == "o":
        return program.mode[0]
    elif kind == "n":
        text = program.counter
    elif kind == "m":
        return f"{program.counter if i < 0 else task.variables[i].text} % {k}"
    else:
        variable = task.variables[i]
        text = variable.text
        if kind == "d":
            text = f"{text} - {variable.last}"
        elif kind == "p":
            text = f"{text} + {number(k)} * ({text} - {variable.last})"
        elif kind == "s":
            text = f"{text} - {task.variables[k].text}"
        elif kind == "a":
            text = f"Math.abs({text} - {task.variables[k].text})"
        elif kind == "e":
            text = f"Math.abs({text} - {variable.last})"
    if not offset:
        return text
    return f"{text} + {number(offset)}" if offset > 0 else f"{text} - {number(-offset)}"
