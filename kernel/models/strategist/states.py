"""States that a task's environment could have, and which actions it allows."""

import random

import numpy as np

from corpus.prompts import action_field, resolved, is_nullable
from corpus.tasks import Task


def trajectory(task: Task, rng: random.Random, length: int) -> list[dict]:
    """States in pairs: a random one, then what became of it a moment later."""
    make = named_pair if "schemas" not in task.subject else schema_pair
    if "schemas" not in task.subject:
        task.draw_states(rng.getrandbits(48), length // 2)
    return [state for i in range(length // 2) for state in make(task, rng, i)]


def named_pair(task: Task, rng: random.Random, i: int) -> tuple[dict, dict]:
    now, change = task.now[:, i], task.change[:, i]
    before = np.clip(now - change, [v.low for v in task.variables], [v.high for v in task.variables])
    if "ramSize" in task.subject:
        ram = [rng.randint(0, 255) for _ in range(task.subject["ramSize"])]
        return {"ram": ram}, {"ram": [byte if rng.random() < 0.5 else (byte + rng.randint(-3, 3)) % 256 for byte in ram]}
    return tuple({v.text[len("state."):]: int(value) for v, value in zip(task.variables, values)} for values in (before, now))


def schema_pair(task: Task, rng: random.Random, _: int) -> tuple[dict, dict]:
    schema = task.subject["schemas"]["observation"]
    first = sample(schema, rng)
    return first, moved(schema, first, rng)


def sample(given: dict, rng: random.Random):
    """A random value of a schema."""
    if is_nullable(given) and rng.random() < 0.25:
        return None
    schema = resolved(given)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("integer", "number"):
        low, high = limits(schema)
        return rng.randint(low, high) if kind == "integer" or rng.random() < 0.7 else round(rng.uniform(low, high), 2)
    if kind == "string":
        return "x" * rng.randint(0, 12)
    if kind == "array":
        most = schema.get("maxItems", 8)
        return [sample(schema["items"], rng) for _ in range(rng.randint(schema.get("minItems", 0), most))]
    return {name: sample(field, rng) for name, field in schema["properties"].items()}


def limits(schema: dict) -> tuple[int, int]:
    low, high = schema.get("examples", (0, 1))
    return schema.get("minimum", low), schema.get("maximum", high)


def moved(given: dict, value, rng: random.Random):
    """A value that may come after another one."""
    schema = resolved(given)
    kind = schema.get("type")
    if value is None or "enum" in schema or kind in ("boolean", "string"):
        return value if rng.random() < 0.7 else sample(given, rng)
    if kind in ("integer", "number"):
        low, high = limits(schema)
        return min(high, max(low, value + rng.choice((-1, 0, 0, 1)) * rng.randint(1, max(1, min(8, (high - low) // 8)))))
    if kind == "array":
        return [moved(schema["items"], item, rng) for item in value]
    return {name: moved(schema["properties"][name], item, rng) for name, item in value.items()}


def is_legal(task: Task, action) -> bool:
    """Whether the environment takes what a strategy returned."""
    if "schemas" not in task.subject:
        return action in task.subject["actions"]
    schema = task.subject["schemas"]["action"]
    field = action_field(schema, task.subject["actions"])
    if field and not isinstance(action, dict):
        _, inner, nullable, values, named = field
        return (named is not None and action in named and isinstance(action, str)) or allows(inner, action) or (nullable and action is None)
    return allows(schema, action)


def allows(given: dict, value) -> bool:
    if value is None:
        return is_nullable(given)
    schema = resolved(given)
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind == "integer" and value != int(value)):
            return False
        return schema.get("minimum", value) <= value <= schema.get("maximum", value) and value > schema.get("exclusiveMinimum", value - 1)
    if kind == "object":
        return isinstance(value, dict) and set(schema.get("required", [])) <= set(value) <= set(schema["properties"]) and all(allows(schema["properties"][k], v) for k, v in value.items())
    return True


def names_of(task: Task) -> tuple[set[str], set[str], set[str]]:
    """Fields of the state, all other names of properties, and all words in quotes that a program may use."""
    subject = task.subject
    if "schemas" not in subject:
        return {v["name"] for v in subject.get("stateVariables", [])} | ({"ram"} if "ramSize" in subject else set()), set(), set(subject["actions"])
    inner: set[str] = set()
    words: set[str] = set(subject["actions"])

    def walk(schema: dict) -> None:
        schema = resolved(schema)
        words.update(value for value in [*schema.get("enum", []), *schema.get("action_meanings", [])] if isinstance(value, str))
        inner.update(schema.get("properties", {}))
        for part in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
            walk(part)

    walk(subject["schemas"]["observation"])
    walk(subject["schemas"]["action"])
    return set(subject["schemas"]["observation"]["properties"]), inner, words
