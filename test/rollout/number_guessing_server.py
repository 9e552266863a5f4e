"""One environment on OpenEnv's own server, at several addresses: prints them as one line of JSON.

Arguments: the number of sessions that each address has room for.
GUESS_KILLED_BY: a file that has to be there before the guess 666 kills the
server, and that is written when a game was won and its session closed; "nothing"
where 666 is a guess like others.
"""

import asyncio
import json
import os
import random
import socket
import sys
import time
from pathlib import Path
from typing import Literal, Optional

import uvicorn
from openenv.core.env_server.http_server import HTTPEnvServer, create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
from pydantic import Field

KILLED_BY = os.environ.get("GUESS_KILLED_BY", "")


class GuessAction(Action):
    number: int = Field(..., ge=1, le=1000, description="The guess")
    mood: Literal["sure", "unsure"] = "sure"


class GuessObservation(Observation):
    hint: str = Field("start", description="low, high or right")
    guesses: list[int] = Field(default_factory=list, description="All guesses so far")
    place: Optional[dict[str, int]] = None


class Guess(Environment[GuessAction, GuessObservation, State]):
    """Guess a number from 1 to 100. The number 13 breaks it, 666 kills the server, 777 waits until all places were taken at once."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    capacity = 1
    open = 0
    most = 0

    def __init__(self):
        super().__init__()
        self.secret = None
        self.guesses = []
        self.played = False

    def reset(self, seed=None, episode_id=None, **kwargs):
        if not self.played:
            self.played = True
            kind = type(self)
            kind.open += 1
            kind.most = max(kind.most, kind.open)
        self.secret = random.Random(seed).randint(1, 100)
        self.guesses = []
        return GuessObservation(place={"most": type(self).most})

    def step(self, action, timeout_s=None, **kwargs):
        if action.number == 13:
            raise RuntimeError("13 brings bad luck")
        if action.number == 666 and KILLED_BY != "nothing":
            while KILLED_BY and not Path(KILLED_BY).exists():
                time.sleep(0.01)
            os._exit(1)
        while action.number == 777 and type(self).most < self.capacity:
            time.sleep(0.01)
        if action.number > 100 and action.number not in (666, 777):
            action.model_validate({"number": 5000})
        self.guesses.append(action.number)
        right = action.number == self.secret
        hint = "right" if right else "low" if action.number < self.secret else "high"
        return GuessObservation(hint=hint, guesses=self.guesses, reward=1.0 if right else None, done=right)

    def leave(self):
        if self.played:
            type(self).open -= 1
        self.played = False

    def close(self):
        if KILLED_BY and self.guesses and self.guesses[-1] == self.secret:
            Path(KILLED_BY).touch()

    @property
    def state(self):
        return State(step_count=len(self.guesses))

    def get_metadata(self):
        return EnvironmentMetadata(name="guess", description="Guess a number from 1 to 100.")


async def destroy_session(self, session_id, destroy=HTTPEnvServer._destroy_session):
    """Counts a session as gone before its place is free: its environment is closed some time after."""
    if env := self._sessions.get(session_id):
        env.leave()
    await destroy(self, session_id)


HTTPEnvServer._destroy_session = destroy_session


async def main(capacities):
    servers, urls = [], []
    for capacity in capacities:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        urls.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        counted = type("Guess", (Guess,), {"capacity": capacity, "open": 0, "most": 0})
        app = create_fastapi_app(counted, GuessAction, GuessObservation, max_concurrent_envs=capacity)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        servers.append(asyncio.create_task(server.serve(sockets=[listener])))
        while not server.started:
            await asyncio.sleep(0.01)
    print(json.dumps(urls), flush=True)
    await asyncio.gather(*servers)


asyncio.run(main([int(argument) for argument in sys.argv[1:]]))
