"""What a message says, before anything else sees it."""

import json
import math
import re
from typing import Any

from .limits import MAXIMUM_NESTING

_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class NotJson(ValueError):
    """A text that is not JSON."""


class Unfit(ValueError):
    """JSON that no message may have, in words for its sender."""


class NotAnObject(Unfit):
    """Another value than an object."""

    def __init__(self) -> None:
        super().__init__("Input should be a valid dictionary")


class BadParameters(Unfit):
    """A request of JSON-RPC that OpenEnv's routes would fail over."""


def read_text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotJson("The message is not valid UTF-8.") from None


def read_json(text: str) -> Any:
    """The value. What Python reads and JSON does not know is none: NaN, Infinity."""
    if _too_deep(text):
        raise Unfit(f"The message is nested more than {MAXIMUM_NESTING} levels deep; make it flatter.")
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except Unfit:
        raise
    except ValueError as error:
        raise NotJson(str(error)[:200]) from None
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Unfit("The message has half of a surrogate pair.") from None
    return value


def read_object(text: str) -> dict:
    value = read_json(text)
    if not isinstance(value, dict):
        raise NotAnObject()
    return value


def read_request(text: str) -> dict:
    """A request of JSON-RPC."""
    request = read_object(text)
    params = request.get("params", {})
    if not isinstance(params, dict):
        raise BadParameters("Params must be an object")
    if not isinstance(params.get("session_id", ""), str):
        raise BadParameters("Unknown session_id: it has to be a string")
    return request


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAXIMUM_NESTING:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > MAXIMUM_NESTING:
            return True
    return False


def _no_constant(name: str) -> None:
    raise NotJson(f"{name} is no JSON.")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Unfit("The message has a number that is too large: numbers go up to 1.8e308.")
    return value
