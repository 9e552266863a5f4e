"""Tasks whose prompts tell JSON Schemas: boards, objects, choices, descriptions; and actions that are objects."""

import random

from . import names
from .prompts import name_text, number
from .tasks import Task, Variable, game_name, random_actions, random_rows

RELATIONS = ["of the", "of a", "next to the", "before the", "behind the", "in the", "per", "left in the", "from the"]


class Fields:
    """Collects the variables that programs of one task can use."""

    def __init__(self, rng: random.Random):
        self.rng, self.variables, self.taken = rng, [], set()

    def add(self, text: str, low: float = 0, high: float = 1, **more) -> None:
        self.variables.append(Variable(text, low, high, **more))

    def local(self, pool: list[str]) -> str:
        """A name for what a program works out, not used before in this task."""
        found = next((name for name in self.rng.sample(pool, len(pool)) if name not in self.taken), None)
        while found is None or found in self.taken:
            found = self.rng.choice(pool) + str(self.rng.randint(2, 99))
        self.taken.add(found)
        return found


# ---------------------------------------------------------------- descriptions and numbers

def sentence(rng: random.Random) -> str:
    """A few words with no meaning that a program could use."""
    w = lambda: names.word(rng)
    form = rng.randrange(6)
    if form == 0:
        return f"{w()} {rng.choice(RELATIONS)} {w()}"
    if form == 1:
        return f"{w()} {rng.choice(RELATIONS)} {w()}, {rng.choice(('from left to right', 'row by row from the top left', 'in order', '0 for none', 'in steps'))}."
    if form == 2:
        return f"The {w()} {rng.choice(RELATIONS)} {w()}."
    if form == 3:
        return f"How {rng.choice(('far', 'many', 'much', 'long', 'high', 'often'))} the {w()} {rng.choice(('is', 'has', 'moves', 'lasts'))}."
    if form == 4:
        return f"{w().capitalize()} {rng.choice(('and', 'or', 'with'))} {w()} {rng.choice(RELATIONS)} {w()}."
    return w()


def described(rng: random.Random, schema: dict, chance: float = 0.45) -> dict:
    return {**schema, "description": sentence(rng)} if rng.random() < chance else schema


def numeric(rng: random.Random) -> tuple[dict, int, int]:
    """A schema of numbers, and a range in which their values lie."""
    kind = rng.choice(("integer", "integer", "integer", "number"))
    chance = rng.random()
    high = rng.choice((1, 3, 4, 7, 8, 9, 10, 12, 20, 50, 99, 100, 200, 255, 1000))
    if chance < 0.55:
        low = rng.choice((0, 0, 0, 0, 1, -high))
        return {"type": kind, "minimum": low, "maximum": max(high, low + 1)}, low, max(high, low + 1)
    if chance < 0.68:
        schema, low, high = {"minimum": 0}, 0, high
    elif chance < 0.72:
        schema, low, high = {"exclusiveMinimum": 0}, 1, max(high, 2)
    elif chance < 0.75:
        schema, low, high = {"maximum": high}, -high, high
    else:
        schema, low, high = {}, 0 if rng.random() < 0.7 else -high, high
    # No prompt tells examples: they say where values lie that have no range.
    return {"type": kind, **schema, "examples": [low, high]}, low, high


def scalar(rng: random.Random):
    """A schema of one value, and what a `Variable` of it is told."""
    chance = rng.random()
    if chance < 0.62:
        schema, low, high = numeric(rng)
        return schema, {"low": low, "high": high}
    if chance < 0.8:
        return {"type": "boolean"}, {"kind": "boolean"}
    count = rng.choice((2, 3, 3, 4, 5))
    words = names.unique(rng, names.word, count, set())
    return {"type": "string", "enum": words} if rng.random() < 0.6 else {"enum": words}, {"kind": "choice", "values": tuple(f'"{w}"' for w in words), "high": count - 1}


def optional_text(path: str, told: dict) -> str:
    """A value that may be missing, with another in its place."""
    return f"({path} ?? {'false' if told.get('kind') == 'boolean' else told['values'][0] if told.get('kind') == 'choice' else 0})"


# ---------------------------------------------------------------- fields of the state

def add_scalar(fields: Fields, path: str, axis: str | None = None) -> dict:
    rng = fields.rng
    schema, told = scalar(rng)
    if axis:
        schema, low, high = numeric(rng)
        told = {"low": low, "high": high, "axis": axis}
    if rng.random() < 0.08:
        fields.add(optional_text(path, told), **told)
        if rng.random() < 0.5:
            fields.add(f"{path} === null", kind="boolean")
        return described(rng, {"anyOf": [schema, {"type": "null"}]})
    fields.add(path, **told)
    return described(rng, schema)


def add_list(fields: Fields, path: str) -> dict:
    """A list of numbers: a board, a row of sensors."""
    rng = fields.rng
    items, low, high = numeric(rng)
    size = rng.choice((3, 4, 4, 5, 6, 8, 9, 9, 10, 12, 16, 16, 25, 36, 64))
    fixed = rng.random() < 0.65
    axis = path
    for i in rng.sample(range(size if fixed else 2), min(size if fixed else 2, rng.choice((2, 3, 4, 6)))):
        fields.add(f"{path}[{i}]" if fixed else f"({path}[{i}] ?? 0)", low, high, axis=axis)
    for make in rng.sample(LIST_VARIABLES, rng.choice((1, 2, 2, 3))):
        make(fields, path, low, high, size)
    if not fixed:
        fields.add(f"{path}.length", 0, size)
    schema = {"type": "array", "items": items}
    if fixed:
        schema.update(minItems=size, maxItems=size)
    elif rng.random() < 0.5:
        schema.update(maxItems=size)
    return described(rng, schema, 0.7)


def counted(fields, path, low, high, size):
    rng, name = fields.rng, fields.local(["count", "found", "hits", "number"])
    test = f"=== {rng.randint(low, high)}" if rng.random() < 0.6 else f"{rng.choice('<>')} {rng.randint(low, high)}"
    fields.add(name, 0, min(size, 5), setup=(f"let {name} = 0;", f"for (const item of {path}) if (item {test}) {name}++;"))


def best_index(fields, path, low, high, size):
    name = fields.local(["best", "place", "index", "spot"])
    sign = fields.rng.choice("<>")
    lines = (f"let {name} = 0;", f"for (let i = 1; i < {path}.length; i++) if ({path}[i] {sign} {path}[{name}]) {name} = i;")
    fields.add(name, 0, size - 1, setup=lines)


def filtered(fields, path, low, high, size):
    rng = fields.rng
    fields.add(f"{path}.filter((item) => item {rng.choice(('===', '<', '>'))} {rng.randint(low, high)}).length", 0, min(size, 5))


def held(fields, path, low, high, size):
    fields.add(f"{path}.includes({fields.rng.randint(low, high)})", kind="boolean")


def found_at(fields, path, low, high, size):
    fields.add(f"{path}.indexOf({fields.rng.randint(low, high)})", -1, size - 1)


def extreme(fields, path, low, high, size):
    fields.add(f"Math.{fields.rng.choice(('max', 'min'))}(...{path})", low, high)


def summed(fields, path, low, high, size):
    rng = fields.rng
    if rng.random() < 0.5:
        name = fields.local(["total", "sum", "amount"])
        fields.add(name, low * size // 3, high * size // 2, setup=(f"let {name} = 0;", f"for (const item of {path}) {name} += item;"))
    else:
        helper = fields.local(["total", "sum", "sumOf"])
        lines = (f"function {helper}(list) {{", "  let all = 0;", "  for (const item of list) all += item;", "  return all;", "}")
        fields.add(f"{helper}({path})", low * size // 3, high * size // 2, helper=lines)


def counting_helper(fields, path, low, high, size):
    helper = fields.local(["count", "countOf", "howMany"])
    lines = (f"function {helper}(list, value) {{", "  let found = 0;", "  for (const item of list) if (item === value) found++;", "  return found;", "}")
    for value in {fields.rng.randint(low, high) for _ in range(2)}:
        fields.add(f"{helper}({path}, {value})", 0, min(size, 5), helper=lines)


LIST_VARIABLES = [counted, best_index, filtered, held, found_at, extreme, summed, counting_helper]


def add_grid(fields: Fields, path: str) -> dict:
    """Rows of cells."""
    rng = fields.rng
    rows, columns, high = rng.choice((3, 4, 5, 6, 8)), rng.choice((3, 4, 5, 7, 8)), rng.choice((1, 2, 3, 9))
    for cell in rng.sample(range(rows * columns), rng.choice((2, 3, 4))):
        fields.add(f"{path}[{cell // columns}][{cell % columns}]", 0, high, axis=path)
    row, value = rng.randrange(rows), rng.randint(0, high)
    fields.add(f"{path}[{row}].includes({value})", kind="boolean")
    fields.add(f"{path}[{row}].indexOf({value})", -1, columns - 1)
    name = fields.local(["count", "found", "hits", "number"])
    fields.add(name, 0, 6, setup=(f"let {name} = 0;", f"for (const row of {path}) for (const item of row) if (item === {rng.randint(0, high)}) {name}++;"))
    inner = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": high}, "minItems": columns, "maxItems": columns}
    return described(rng, {"type": "array", "items": inner, "minItems": rows, "maxItems": rows}, 0.7)


def add_object(fields: Fields, path: str) -> dict:
    """A thing with fields of its own; perhaps it is missing."""
    rng = fields.rng
    placed = rng.random() < 0.7
    keys = (["x", "y"] if placed else []) + names.unique(rng, names.word, rng.choice((0, 1, 2)) if placed else rng.choice((2, 3)), {"x", "y"})
    nullable = rng.random() < 0.15
    properties, told = {}, Fields(rng)
    for key in keys:
        inner = f"{path}{'?' if nullable else ''}.{name_text(key)}"
        if key in ("x", "y"):
            high = rng.choice((7, 9, 10, 20, 100, 160))
            properties[key] = {"type": "integer", "minimum": 0, "maximum": high} if rng.random() < 0.6 else {"type": rng.choice(("integer", "number")), "examples": [0, high]}
            told.add(f"({inner} ?? 0)" if nullable else inner, 0, high, axis=f".{key}", entity=path)
        else:
            properties[key], how = scalar(rng)
            told.add(optional_text(inner, how) if nullable else inner, **how)
    fields.variables += told.variables
    schema = {"type": "object", "properties": properties, "required": list(keys)}
    if nullable:
        fields.add(f"{path} === null", kind="boolean")
        return described(rng, {"anyOf": [schema, {"type": "null"}]})
    return described(rng, schema)


def add_things(fields: Fields, path: str) -> dict:
    """A list of objects."""
    rng = fields.rng
    keys = names.unique(rng, lambda r: r.choice(("x", "y", names.word(r))), rng.choice((1, 2, 3)), set())
    limits = {key: (0, rng.choice((5, 9, 10, 50, 100))) for key in keys}
    size, key = rng.choice((3, 4, 5, 8)), rng.choice(keys)
    high = limits[key][1]
    fields.add(f"{path}.length", 0, size)
    fields.add(f"({path}[0]?.{key} ?? 0)", 0, high, axis=f".{key}" if key in "xy" else None)
    fields.add(f"{path}.some((item) => item.{key} {rng.choice('<>')} {rng.randint(0, high)})", kind="boolean")
    name = fields.local(["least", "lowest", "nearest"])
    fields.add(name, 0, high, setup=(f"let {name} = {high};", f"for (const item of {path}) {name} = Math.min({name}, item.{key});"))
    properties = {key: {"type": "integer", "minimum": 0, "maximum": limits[key][1]} for key in keys}
    return described(rng, {"type": "array", "items": {"type": "object", "properties": properties, "required": list(keys)}})


def add_words(fields: Fields, path: str) -> dict:
    """A list of words, or a text."""
    rng = fields.rng
    words = names.unique(rng, names.word, rng.choice((2, 3, 4)), set())
    if rng.random() < 0.3:
        fields.add(f"{path}.length", 0, 12)
        return described(rng, {"type": "string"}, 0.8)
    fields.add(f"{path}.length", 0, len(words))
    for word in words[:2]:
        fields.add(f'{path}.includes("{word}")', kind="boolean")
    return described(rng, {"type": "array", "items": {"type": "string", "enum": words}})


SHAPES = [add_list, add_grid, add_object, add_things, add_words]
SHAPE_WEIGHTS = [38, 10, 34, 12, 8]


def table(fields: Fields, rows: list[str]) -> dict[str, dict]:
    """The same quantities of each of several things, named `row_column`."""
    rng, properties = fields.rng, {}
    columns = [(column, *numeric(rng)) for column in names.unique(rng, names.word, rng.choice((1, 2, 2, 3, 3)), set())]
    for row in rows:
        for column, schema, low, high in columns:
            properties[f"{row}_{column}"] = schema
            fields.add(f"state.{row}_{column}", low, high, axis=f"_{column}", entity=row)
    return properties


def observation(fields: Fields, rows: list[str] | None = None) -> dict:
    rng = fields.rng
    taken = {"done", "reward", "metadata", *(rows or [])}
    properties: dict[str, dict] = table(fields, rows) if rows else {}
    style = names.compound if rng.random() < 0.75 else names.camel
    if not rows and rng.random() < 0.45:
        axes = rng.choice((("_x", "_y"), ("_x", "_y"), ("X", "Y"), ("_row", "_column")))
        for entity in names.unique(rng, names.word, rng.choice((1, 2, 2, 3)), taken):
            for axis in axes if rng.random() < 0.7 else axes[:1]:
                properties[entity + axis] = add_scalar(fields, f"state.{entity}{axis}", axis)
    for name in names.unique(rng, style, rng.choice((0, 1, 1, 2, 3, 4)), taken):
        properties[name] = add_scalar(fields, f"state.{name}")
    for name in names.unique(rng, style, rng.choice((0, 1, 1, 1, 2)), taken):
        properties[name] = rng.choices(SHAPES, SHAPE_WEIGHTS)[0](fields, f"state.{name}")
    if rng.random() < 0.03:
        name = f"{names.word(rng)}-{names.word(rng)}"
        properties[name] = add_scalar(fields, f'state["{name}"]')
    if not properties:
        name = names.word(rng)
        properties[name] = add_scalar(fields, f"state.{name}")
    if rows and rng.random() < 0.5:
        order = list(properties)
        cut = rng.randrange(len(order))
        properties = {name: properties[name] for name in order[cut:] + order[:cut]}
    return {"type": "object", "properties": properties, "required": list(properties)}


# ---------------------------------------------------------------- actions

def single_action(rng: random.Random, variables: list[Variable], rows: list[str] | None = None):
    """An action of one field: its schema, names of its values, and how they stand in a program."""
    field = rng.choice(("action", "move", "action_id", "choice", names.word(rng)))
    chance = rng.random()
    named: list[str] = []
    make = None
    if chance < 0.42:
        named = random_actions(rng, rows)
        named = [name for name in named if not name.isdigit()] or ["GO", "STAY"]
        schema = {"type": "string", "enum": named}
        texts, named = [f'"{name}"' for name in named], []
    elif chance < 0.68:
        named = [name for name in random_actions(rng, rows) if not name.isdigit()] or ["GO", "STAY"]
        schema = {"type": "integer", "minimum": 0, "maximum": len(named) - 1}
        texts = [f'"{name}"' for name in named]
        if rng.random() < 0.5:
            schema["action_meanings"], named = named, []
    elif chance < 0.76:
        schema, texts = {"type": "boolean"}, ["false", "true"]
    elif chance < 0.88:
        low, count = rng.choice((0, 0, 0, 1)), rng.choice((2, 3, 4, 4, 5, 6, 8, 9, 16))
        schema = {"type": "integer", "minimum": low, "maximum": low + count - 1}
        texts = [str(low + i) for i in range(count)]
    else:
        low, high = rng.choice((0, 1, -1, -10)), rng.choice((2, 10, 20, 50, 100, 255, 1000))
        schema = {"type": rng.choice(("integer", "number")), "minimum": low, "maximum": high}
        texts, make = [], values_of({"low": low, "high": high}, schema, variables)
        if schema["type"] == "number" and high < 20:
            make = lambda r: number(r.randint(low * 10, high * 10) / 10)
    schema = described(rng, schema, 0.3)
    return {"type": "object", "properties": {field: schema}, "required": [field]}, named, texts, make


def action_object(rng: random.Random, variables: list[Variable]):
    """An action of several fields."""
    keys = names.unique(rng, names.word if rng.random() < 0.8 else names.camel, rng.choice((2, 2, 2, 3, 3, 4)), {"metadata"})
    if rng.random() < 0.3:
        keys[:2] = rng.choice((["x", "y"], ["row", "column"], ["dx", "dy"]))
    makers, properties, required = [], {}, []
    for i, key in enumerate(keys):
        schema, told = scalar(rng)
        if "minimum" not in schema and schema.get("type") in ("integer", "number"):
            low = rng.choice((0, 0, -1, -5))
            schema, told = {"type": schema["type"], "minimum": low, "maximum": low + rng.choice((2, 4, 8, 10, 100))}, {}
            told = {"low": schema["minimum"], "high": schema["maximum"]}
        elif schema.get("type") in ("integer", "number"):
            schema.setdefault("maximum", told["high"])
        may_miss = i > 1 and rng.random() < 0.3
        if not may_miss:
            required.append(key)
        properties[key] = described(rng, schema, 0.35)
        makers.append((name_text(key), may_miss, values_of(told, schema, variables)))

    def make(r: random.Random) -> str:
        return "{ " + ", ".join(f"{name}: {value(r)}" for name, may_miss, value in makers if not (may_miss and r.random() < 0.5)) + " }"

    return {"type": "object", "properties": properties, "required": required}, make


def values_of(told: dict, schema: dict, variables: list[Variable]):
    """Draws a value of an action's field; now and then one of the state's, held within the field's range."""
    if told.get("kind") == "boolean":
        return lambda r: r.choice(("true", "false"))
    if told.get("kind") == "choice":
        return lambda r: r.choice(told["values"])
    low, high = told["low"], told["high"]
    seen = [v.text for v in variables if v.kind == "number" and not v.setup and not v.helper and v.text.startswith("state.") and v.text[6:].replace(".", "").replace("_", "").isalnum()]

    def draw(r: random.Random) -> str:
        if seen and r.random() < 0.12:
            text = f"Math.min({number(high)}, Math.max({number(low)}, {r.choice(seen)}))"
            return text if schema["type"] == "number" else f"Math.round({text})"
        return str(r.randint(int(low), int(high)))

    return draw


def schema_task(rng: random.Random, objects: bool | None = None) -> Task:
    """A task told by schemas; `objects` says whether its actions are objects."""
    fields = Fields(rng)
    rows = random_rows(rng)
    seen = observation(fields, rows)
    objects = rng.random() < 0.25 if objects is None else objects
    named: list[str] = []
    if objects:
        action, make = action_object(rng, fields.variables)
        texts = []
    else:
        action, named, texts, make = single_action(rng, fields.variables, rows)
    subject = {"name": game_name(rng), "actions": named, "schemas": {"action": action, "observation": seen}}
    if rng.random() < 0.7:
        subject["description"] = sentence(rng).capitalize()
    return Task(subject, fields.variables, texts, make)
