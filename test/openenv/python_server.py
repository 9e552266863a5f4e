"""An environment with nested models, enumerations and optional fields, on OpenEnv's own server. Prints its port.

    python_server.py [--port 0] [--second]    # --second: the same place, other actions
"""

import argparse
import enum
import socket
from typing import List, Literal, Optional
from uuid import uuid4

import uvicorn
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
from pydantic import BaseModel, Field


class Tool(str, enum.Enum):
    """What is held in the hand."""

    SPADE = "spade"
    CAN = "watering-can"


class Place(BaseModel):
    row: int = Field(ge=0, le=3, description="From the house, 0 to 3")
    column: int = Field(0, ge=0, le=5)


class GardenAction(Action):
    """One job in the garden."""

    tool: Tool
    place: Place = Field(description="Where the job is done")
    litres: Optional[float] = Field(None, gt=0, le=10, description="Water, for the can")
    mode: Literal["gentle", "quick"] = "gentle"


class SecondAction(Action):
    wait: int = Field(description="Days")


class Plant(BaseModel):
    kind: str = Field(description="Its Latin name")
    height: float


class GardenObservation(Observation):
    """What the gardener sees."""

    plants: List[Plant] = Field(default_factory=list, description="From left to right")
    weather: Literal["sun", "rain"] = "sun"
    screen: List[List[List[int]]] = Field(default_factory=list, description="Rows of pixels: red, green, blue")


class GardenState(State):
    day: int = Field(0, description="Days since spring")


class Garden(Environment):
    """Grow plants with two tools."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self._state = GardenState(episode_id=str(uuid4()))

    def reset(self, seed=None, episode_id=None, **kwargs):
        self._state = GardenState(episode_id=episode_id or str(uuid4()))
        return self._observe()

    def step(self, action, timeout_s=None, **kwargs):
        self._state.step_count += 1
        self._state.day += getattr(action, "wait", 1)
        return self._observe()

    def _observe(self):
        screen = [[[40 * y, 40 * x, 128] for x in range(6)] for y in range(4)]
        return GardenObservation(plants=[Plant(kind="rosa", height=0.5 + self._state.day)], screen=screen, reward=0.25)

    def get_metadata(self):
        return EnvironmentMetadata(name="garden", description="Grow plants with two tools.", version="1.2.0", author="A Gardener")

    @property
    def state(self):
        return self._state


parser = argparse.ArgumentParser()
parser.add_argument("--second", action="store_true")
arguments = parser.parse_args()
app = create_app(Garden, SecondAction if arguments.second else GardenAction, GardenObservation, env_name="garden", max_concurrent_envs=8, state_cls=GardenState)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
