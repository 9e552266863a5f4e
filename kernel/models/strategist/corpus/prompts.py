"""Prompts, word for word as `strategyPrompt` in TypeScript makes them (kernel/environments/prompt.ts, schemaPrompt.ts, schemaText.ts)."""

import json
import re
from decimal import Decimal

MEMORY = "Variables outside the function keep their values between calls."
DEPTH = 3
MOST_VALUES = 100


def number(value: float) -> str:
    """A number as JavaScript prints it."""
    if value == int(value):
        return str(int(value))
    # Python turns to exponents below 1e-4, JavaScript below 1e-6.
    return format(Decimal(repr(value)), "f") if 1e-6 <= abs(value) < 1e-4 else repr(value)


def short_number(value: float) -> str:
    """A score as edit prompts tell it: four digits."""
    return number(float(f"{value:.4g}"))


def strategy_prompt(subject: dict) -> str:
    """The prompt of an environment: `name`, `stateVariables`, `actions`, and perhaps `ramSize`, `schemas`, `description`."""
    variables, actions = subject.get("stateVariables", []), subject["actions"]
    lines = [f"Write a short TypeScript function strategy(state) that plays {subject['name']}."]
    if "schemas" in subject:
        lines += schema_lines(subject)
        return "\n".join([*lines, MEMORY])
    if variables or subject.get("ramSize"):
        lines.append("The state:")
    for v in variables:
        low, high = v.get("minimum"), v.get("maximum")
        lines.append(f"state.{v['name']}" + (f" from {number(low)} to {number(high)}" if low is not None and high is not None else ""))
    if not variables and subject.get("ramSize"):
        lines.append(f"state.ram, {subject['ramSize']} numbers from 0 to 255: the memory of the console")
    lines.append("It returns one action: " + ", ".join(f'"{action}"' for action in actions) + ".")
    return "\n".join([*lines, MEMORY])


def schema_lines(subject: dict) -> list[str]:
    about = subject.get("description", "").strip()
    lines = []
    if about and about != subject["name"]:
        lines.append(about if about[-1] in ".!?" else about + ".")
    observation = fields_of(subject["schemas"]["observation"], ("metadata", "done", "reward"))
    if observation:
        lines.append("The state:")
        lines += [field_line(f"state.{name}" if name_text(name) == name else f"state[{name_text(name)}]", *field) for name, *field in observation]
    return lines + action_lines(subject["schemas"]["action"], subject["actions"])


def action_lines(action: dict, names: list[str]) -> list[str]:
    field = action_field(action, names)
    if not field:
        fields = fields_of(action)
        if not fields:
            return ["It returns an action, an object."]
        return [f"It returns an action, an object {type_text(action)}:", *(field_line(name_text(name), *rest) for name, *rest in fields)]
    name, schema, nullable, values, named = field
    plain = values is not None and all(json_text(value).strip('"') == text for value, text in zip(values, named))
    if values is not None and not (plain and schema.get("type") == "integer"):
        words = [json_text(value if plain else text) for value, text in zip(values, named)] + (["null"] if nullable else [])
        return [f"It returns one action: {', '.join(words)}."]
    return [field_line(f"It returns one action ({name_text(name)})", schema, nullable)]


def action_field(action: dict, names: list[str]):
    """The one field that tells an action: its name, schema, whether it may be null, its values and their names."""
    fields = fields_of(action)
    needed = [field for field in fields if field[0] in action.get("required", [])]
    found = fields if len(fields) == 1 else needed if len(needed) == 1 else None
    if not found:
        return None
    name, schema, nullable = found[0]
    values = finite_values(schema)
    if values is None:
        return name, schema, nullable, None, None
    given = next((list_ for list_ in (names, schema.get("action_meanings")) if list_ and len(list_) == len(values)), None)
    return name, schema, nullable, values, given or [json_text(value).strip('"') for value in values]


def finite_values(schema: dict) -> list | None:
    if "enum" in schema:
        return [value for value in schema["enum"] if value is not None]
    if schema.get("type") == "boolean":
        return [False, True]
    low, high = schema.get("minimum"), schema.get("maximum")
    if schema.get("type") != "integer" or low is None or high is None or high - low >= 256:
        return None
    return list(range(low, high + 1))


def resolved(schema: dict) -> dict:
    """What a schema says where it is a union of one member and null."""
    members = [member for member in schema.get("anyOf", []) if member != {"type": "null"}]
    if len(members) != 1:
        return schema
    return {**members[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def is_nullable(schema: dict) -> bool:
    return {"type": "null"} in schema.get("anyOf", []) or None in schema.get("enum", [])


def fields_of(schema: dict, without: tuple[str, ...] = ("metadata",)) -> list[tuple[str, dict, bool]]:
    return [(name, resolved(field), is_nullable(field)) for name, field in schema.get("properties", {}).items() if name not in without]


def field_line(name: str, schema: dict, nullable: bool) -> str:
    text = re.sub(r"\s+", " ", schema.get("description", "")).strip()
    values = range_text(schema)
    if not text and not nullable and values.startswith(" from") and name.startswith("state."):
        return name + values
    kind = type_text(schema)
    return f"{name}, {kind}" + (" or null" if nullable and not kind.endswith("null") else "") + (f": {text}" if text else "")


def type_text(given: dict, depth: int = DEPTH) -> str:
    text = plain_text(resolved(given), depth)
    return f"{text} or null" if is_nullable(given) and not text.endswith("null") else text


def plain_text(schema: dict, depth: int) -> str:
    if "enum" in schema:
        return values_text(schema["enum"])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return kind + range_text(schema)
    if kind == "array":
        return array_text(schema, depth)
    if "properties" in schema and depth > 0:
        required = schema.get("required", [])
        shown = [f"{name_text(name)}{'' if name in required else '?'}: {type_text(schema['properties'][name], depth - 1)}" for name, *_ in fields_of(schema)]
        return f"{{ {', '.join(shown)} }}"
    return kind or "any value"


def array_text(schema: dict, depth: int) -> str:
    low, high, items = schema.get("minItems"), schema.get("maxItems"), schema.get("items")
    count = f" {low}" if low is not None and low == high else ""
    if not items:
        return f"array of{count} values"
    text = type_text(items, depth)
    plural = re.sub(r"^\w+", r"\g<0>s", text) if re.match(r"(integer|number|string|boolean|array|object)\b", text) else text
    return f"array of{count} " + (f"({plural})" if " or " in plural and is_nullable(items) else plural)


def values_text(values: list) -> str:
    if len(values) > 3 and all(isinstance(value, int) and value == values[0] + i for i, value in enumerate(values)):
        return f"a whole number from {values[0]} to {values[-1]}"
    more = [f"… {len(values) - MOST_VALUES} more"] if len(values) > MOST_VALUES else []
    return " | ".join([*(json_text(value) for value in values[:MOST_VALUES]), *more])


def range_text(schema: dict) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {number(low)} to {number(high)}"
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    first = f" ≥ {number(low)}" if low is not None else f" > {number(above)}" if above is not None else ""
    last = f" ≤ {number(high)}" if high is not None else f" < {number(below)}" if below is not None else ""
    return f"{first} and{last}" if first and last else first + last


def name_text(name: str) -> str:
    """A field's name as it stands in a program."""
    return name if re.fullmatch(r"[A-Za-z$_][\w$]*", name) else json.dumps(name)


def json_text(value) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---------------------------------------------------------------- edits

def edit_prompt(prompt: str, code: str, account: str, inspiration: tuple[str, str] | None = None) -> str:
    """The prompt that asks for a change of a program; `account` has its scores, its last episode and its rewards; `inspiration` is the score and the code of another one."""
    scores, _, rest = account.partition("\n")
    if inspiration:
        prompt += f"\nAnother program scored {inspiration[0]}:\n```ts\n{inspiration[1]}\n```"
    return f"{prompt}\nChange this program, which scored {scores}:\n```ts\n{code}\n```\n{rest}"
