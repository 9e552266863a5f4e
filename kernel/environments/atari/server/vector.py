"""
Many games in one process, in lockstep, over binary messages: for rollouts.

A message is its length in bytes as u32, then its content. All numbers are
little-endian. The first request of a connection is JSON, `{"num_envs": 16,
"options": {"game": "breakout"}}`; its answer is JSON, too:
`{"type":"ready","data":{"num_envs","actions"}}`. Then:

request    u8 kind (0 reset, 1 step, 2 render) · u8 every · u16 n · u16 slot × n
           · reset: u64 seed × n, step: u8 action × n
           `every`, of a reset: the episode's answers carry a frame after every so many
           steps, 0 for none.
answer     u8 kind · u8 0 · u16 n · f32 reward × n · i32 lives × n · u8 terminated × n
           · u8 truncated × n · u8 has frame × n · 128 bytes of RAM × n
           · a frame of 210 × 160 palette indices for each that has one
           To a render, which moves no game: u8 kind · u8 0 · u16 n · a frame × n

A request that cannot be answered gets `{"type":"error","data":{"code","message"}}`, and
no game has moved.
"""

import json
import struct

from pydantic import ValidationError

from .message import read_object
from .options import AtariOptions, explain
from .sharing import SharedGames

RESET, STEP, RENDER = 0, 1, 2
#: The value that a request has for each slot.
_VALUES = {RESET: "Q", STEP: "B", RENDER: ""}
_MOST_ENVS = 256


class RequestError(Exception):
    """A request that cannot be answered, in words for its sender."""


class VectorSession:
    """The games of one connection."""

    def __init__(self, options: AtariOptions, num_envs: int):
        self.games = SharedGames(options, num_envs)
        self.actions = self.games.actions
        #: By slot: a frame is sent after every so many steps; 0: none.
        self._every = [0] * num_envs

    def close(self) -> None:
        self.games.close()

    def answer(self, request: bytes) -> bytes:
        """Plays one request."""
        try:
            kind, every, count = struct.unpack_from("<BBH", request)
            slots = struct.unpack_from(f"<{count}H", request, 4)
            if kind not in _VALUES:
                raise RequestError(f"There is no request of kind {kind}: 0 is reset, 1 is step, 2 is render.")
            values = struct.unpack_from(f"<{count * _VALUES[kind]}", request, 4 + 2 * count)
        except struct.error as error:
            raise RequestError(f"The request is too short: {error}.") from None
        for slot in slots:
            if slot >= len(self.games):
                raise RequestError(f"There is no slot {slot}: the slots are 0 to {len(self.games) - 1}.")
        if len(set(slots)) != count:
            raise RequestError("A slot occurs twice in one request.")
        if kind == RESET:
            self.games.reset(slots, values)
            for slot in slots:
                self._every[slot] = every
            return self._pack(kind, slots, [0.0] * count)
        self._check_started(slots)
        if kind == RENDER:
            return struct.pack("<BBH", kind, 0, count) + b"".join(self.games[slot].screen().tobytes() for slot in slots)
        self._check_step(slots, values)
        return self._pack(kind, slots, self.games.step(slots, values))

    def _check_started(self, slots: tuple[int, ...]) -> None:
        for slot in slots:
            if self.games[slot] is None:
                raise RequestError(f"Slot {slot} has no episode yet: reset it first.")

    def _check_step(self, slots: tuple[int, ...], actions: tuple[int, ...]) -> None:
        for slot, action in zip(slots, actions):
            if self.games[slot].done:
                raise RequestError(f"The episode of slot {slot} is over: reset it first.")
            if action >= len(self.actions):
                meanings = ", ".join(f"{index} {name}" for index, name in enumerate(self.actions))
                raise RequestError(f"There is no action {action}. The actions are: {meanings}.")

    def _pack(self, kind: int, slots: tuple[int, ...], rewards: list[float]) -> bytes:
        games = [self.games[slot] for slot in slots]
        every = [self._every[slot] for slot in slots]
        framed = [n > 0 and game.steps % n == 0 for game, n in zip(games, every)]
        n = len(slots)
        return b"".join(
            (
                struct.pack(f"<BBH{n}f{n}i", kind, 0, n, *rewards, *(game.lives for game in games)),
                bytes(game.terminated for game in games),
                bytes(game.truncated for game in games),
                bytes(framed),
                *(game.ram().tobytes() for game in games),
                *(game.screen().tobytes() for game, wanted in zip(games, framed) if wanted),
            )
        )


def read_opening(request: bytes) -> dict:
    """The first request of a connection."""
    try:
        opening = read_object(request.decode())
        opening["num_envs"], opening["options"]
    except (KeyError, TypeError, ValueError):
        raise RequestError('The first request must be {"num_envs": …, "options": {…}}.') from None
    return opening


def open_session(opening: dict) -> VectorSession:
    """The games that the first request of a connection asks for."""
    num_envs, options = opening["num_envs"], opening["options"]
    if type(num_envs) is not int or not 1 <= num_envs <= _MOST_ENVS:
        raise RequestError(f"num_envs must be a whole number from 1 to {_MOST_ENVS}.")
    try:
        return VectorSession(AtariOptions(**options), num_envs)
    except ValidationError as error:
        raise RequestError(explain(error)) from None
    except (TypeError, ValueError) as error:
        raise RequestError(str(error)) from None


def ready(session: VectorSession) -> bytes:
    """The answer to the first request."""
    return _json("ready", num_envs=len(session.games), actions=session.actions)


def refusal(error: RequestError, code: str = "VALIDATION_ERROR") -> bytes:
    """The answer to a request that cannot be answered."""
    return _json("error", code=code, message=str(error))


def _json(type: str, **data) -> bytes:
    return json.dumps({"type": type, "data": data}).encode()
