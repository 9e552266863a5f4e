"""Values of Python as TypeScript writes them."""

import base64
import datetime
import decimal
import enum
import json
import math
import os
import re

#: Beyond this, not every integer is a number of JavaScript.
MAXIMUM_SAFE = 2**53 - 1

#: Half of a surrogate pair cannot be saved, and a byte order mark would be taken for white space.
UNSAFE = re.compile("[\ud800-\udfff\u2028\u2029\ufeff]")


class NotWritable(ValueError):
    """A value that TypeScript has no literal for; says what to give instead."""


def literal(value, type=""):
    """The text of a value, where a variable of a type takes it."""
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays.
        value = value.tolist()
    if isinstance(value, enum.Enum) and not isinstance(value, (int, str)):
        value = value.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, int):
        return integer(int(value), type)
    if isinstance(value, float):
        return number(float(value))
    if isinstance(value, decimal.Decimal):
        return number(float(value))
    if isinstance(value, dict):
        entries = ", ".join(f"{key(name)}: {literal(item, type)}" for name, item in value.items())
        return f"{{ {entries} }}" if value else "{}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(literal(item, type) for item in value)}]"
    return string_of(value, type)


def string(text):
    return UNSAFE.sub(lambda it: f"\\u{ord(it[0]):04x}", json.dumps(str.__str__(text), ensure_ascii=False))


def integer(value, type):
    if re.search(r"\bbigint\b", type) and not re.search(r"\bnumber\b", type):
        return f"{value}n"
    if abs(value) > MAXIMUM_SAFE and (value.bit_length() > 1023 or int(float(value)) != value):
        raise NotWritable(f"{value} is not exact as a number of JavaScript. Declare it as bigint in the parameters cell (const name: bigint = 0n), or give it as a string (-r)")
    return str(value)


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def key(name):
    if name is None or isinstance(name, (bool, float)):
        name = literal(name)
    text = string(str(name))
    # As a plain key it would be the object's prototype.
    return f"[{text}]" if name == "__proto__" else text


def string_of(value, type):
    """Of values that have a text of their own: paths, dates, identifiers."""
    if isinstance(value, (datetime.date, datetime.time)):
        text = string(value.isoformat())
        return f"new Date({text})" if type == "Date" else text
    if isinstance(value, bytes):
        return string(base64.b64encode(value).decode())
    if isinstance(value, os.PathLike):
        return string(os.fspath(value))
    if value.__class__.__str__ is object.__str__ and value.__class__.__repr__ is object.__repr__:
        raise NotWritable(f"a value of type {value.__class__.__name__} cannot be written in TypeScript. Give a number, a string, a list or a dictionary")
    return string(str(value))
