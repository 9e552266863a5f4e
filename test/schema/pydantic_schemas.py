"""Models as people write them for OpenEnv, with values of which pydantic says whether they fit. Prints JSON."""

import enum
import json
from datetime import datetime
from typing import Annotated, Any, Dict, Generic, List, Literal, Optional, Tuple, TypeVar, Union
from uuid import UUID

from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation, ListToolsAction
from openenv.core.env_server.types import Action, Observation, State
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType

JsonValue = TypeAliasType("JsonValue", "Union[List[JsonValue], Dict[str, JsonValue], str, int, None]")


class Direction(str, enum.Enum):
    """Where to go."""

    UP = "up"
    DOWN = "down"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    x: int = Field(ge=0, lt=10, description="Column, from the left")
    y: float = 0.5


class Move(Action):
    direction: Direction = Field(description="Where to */ go")
    steps: int = Field(1, ge=1, le=5)
    note: Optional[str] = Field(None, max_length=20)
    at: Optional[Point] = None
    path: List[Point] = []


class Leaf(BaseModel):
    kind: Literal["leaf"]
    value: int


class Node(BaseModel):
    kind: Literal["node"]
    children: List[Union["Node", Leaf]]


class Speak(BaseModel):
    type: Literal["speak"] = "speak"
    text: str


class Walk(BaseModel):
    type: Literal["walk"] = "walk"
    to: Tuple[int, int]


class Chosen(BaseModel):
    choice: Annotated[Union[Speak, Walk], Field(discriminator="type")]


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    items: List[Item]
    next: Optional[int] = None


class Odd(BaseModel):
    model_config = ConfigDict(extra="allow")
    with_dash: bool = Field(alias="with-dash")
    class_: str = Field(alias="class")
    record: Dict[str, int] = {}
    anything: Any = None
    mixed: Union[int, str, None, List[str]] = None
    level: Level = Level.LOW
    three: Tuple[int, str, bool] = (1, "a", True)
    many: Tuple[int, ...] = ()
    when: Optional[datetime] = None
    ident: Optional[UUID] = None
    constant: Literal[-1, "a", True, None] = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Empty(BaseModel):
    pass


class Array(BaseModel):
    """Its name is one of TypeScript's."""

    values: List[List[int]] = Field(min_length=1, max_length=2)


class Document(BaseModel):
    content: JsonValue


class Seen(Observation):
    board: List[int]
    legal: List[Direction] = []
    hint: Optional[str] = None


class Kept(State):
    secret: int = 0


def is_valid(adapter, value):
    try:
        adapter.validate_json(json.dumps(value), strict=True)
        return True
    except ValidationError:
        return False


def case(name, model, values, beyond=()):
    """`beyond`: values that are of the right types and outside the limits."""
    adapter = TypeAdapter(model)
    judged = [[value, is_valid(adapter, value)] for value in values]
    return {"name": name, "schema": adapter.json_schema(), "values": judged, "beyond": [[value, is_valid(adapter, value)] for value in beyond]}


CASES = [
    case("move", Move, [
        {"direction": "up"}, {"direction": "down", "steps": 2, "note": None}, {"direction": "up", "at": {"x": 1}}, {"direction": "up", "at": None, "path": [{"x": 1, "y": 2}]},
        {}, {"direction": "left"}, {"direction": "up", "stepss": 2}, {"direction": "up", "steps": "2"}, {"direction": "up", "at": {"y": 1}}, {"direction": "up", "path": [1]},
    ], beyond=[{"direction": "up", "steps": 6}, {"direction": "up", "at": {"x": 10}}, {"direction": "up", "note": "x" * 21}, {"direction": "up", "steps": 1.5}]),
    case("tree", Node, [{"kind": "node", "children": [{"kind": "leaf", "value": 1}, {"kind": "node", "children": []}]}, {"kind": "node"}, {"kind": "leaf", "children": []}, {"kind": "node", "children": [{"kind": "leaf"}]}]),
    case("union", Chosen, [{"choice": {"type": "speak", "text": "a"}}, {"choice": {"type": "walk", "to": [1, 2]}}, {"choice": {"type": "walk", "text": "a"}}, {"choice": {"type": "run"}}, {"choice": {"type": "walk", "to": [1]}}, {"choice": {"type": "walk", "to": [1, 2, 3]}}]),
    case("generic", Page[Point], [{"items": [{"x": 1}], "next": 2}, {"items": [{"x": "1"}]}, {"items": {}}]),
    case("odd", Odd, [
        {"with-dash": True, "class": "a"}, {"with-dash": True, "class": "a", "record": {"a": 1}, "anything": [1, "a"], "mixed": ["a"], "level": 2, "three": [1, "a", False], "many": [1, 2, 3]},
        {"with-dash": True, "class": "a", "other": 1}, {"with-dash": True, "class": "a", "constant": -1}, {"with-dash": True, "class": "a", "constant": "a", "mixed": None},
        {"with-dash": 1, "class": "a"}, {"class": "a"}, {"with-dash": True, "class": "a", "record": {"a": "b"}}, {"with-dash": True, "class": "a", "mixed": [1]}, {"with-dash": True, "class": "a", "mixed": True},
        {"with-dash": True, "class": "a", "level": 3}, {"with-dash": True, "class": "a", "three": [1, 2, True]}, {"with-dash": True, "class": "a", "three": [1, "a"]}, {"with-dash": True, "class": "a", "many": ["a"]}, {"with-dash": True, "class": "a", "constant": 2},
        {"with-dash": True, "class": "a", "when": 5},
    ]),
    case("closed", Closed, [{"a": 1}, {"a": 1, "b": 2}, {"b": 2}]),
    case("empty", Empty, [{}]),
    case("array", Array, [{"values": [[1]]}, {"values": [["a"]]}, {"values": [1]}], beyond=[{"values": []}]),
    case("call tool", CallToolAction, [{"type": "call_tool", "tool_name": "a", "arguments": {"b": 1}}, {"type": "call_tool"}, {"type": "call", "tool_name": "a"}]),
    case("recursive", Document, [{"content": {"a": [1, "b", None, {"c": []}]}}, {"content": {"a": [True]}}, {}]),
    case("scalar", Direction, ["up", "left", 3]),
    case("list", List[Level], [[1, 2], [3], 1]),
    case("optional", Optional[Point], [None, {"x": 1}, {"x": "a"}]),
]

ENVIRONMENT = {
    "action": Move.model_json_schema(),
    "observation": Seen.model_json_schema(),
    "state": Kept.model_json_schema(),
}
OBSERVED = [CallToolObservation.model_json_schema(), ListToolsAction.model_json_schema()]

print(json.dumps({"cases": CASES, "environment": ENVIRONMENT, "observed": OBSERVED}))
