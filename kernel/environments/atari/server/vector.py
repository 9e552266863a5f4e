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
from dataclasses import dataclass

from pydantic import ValidationError

from .game import AtariGame
from .message import read_object
from .options import AtariOptions, explain
from .pool import pool

RESET, STEP, RENDER = 0, 1, 2
#: The value that a request has for each slot.
_VALUES = {RESET: "Q", STEP: "B", RENDER: ""}
_MOST_ENVS = 256


class RequestError(Exception):
    """A request that cannot be answered, in words for its sender."""


@dataclass
class Slot:
    game: AtariGame
    #: A frame is sent after every so many steps; 0: none.
    every: int = 0

    @property
    def wants_frame(self) -> bool:
        return self.every > 0 and self.game.steps % self.every == 0


class VectorSession:
    """The games of one connection."""

    def __init__(self, options: AtariOptions, num_envs: int):
        self.slots = [Slot(pool.take(options)) for _ in range(num_envs)]
        self.actions = self.slots[0].game.actions

    def close(self) -> None:
        for slot in self.slots:
            pool.give_back(slot.game)

    def answer(self, request: bytes) -> bytes:
        """Plays one request."""
        try:
            kind, every, count = struct.unpack_from("<BBH", request)
            numbers = struct.unpack_from(f"<{count}H", request, 4)
            if kind not in _VALUES:
                raise RequestError(f"There is no request of kind {kind}: 0 is reset, 1 is step, 2 is render.")
            values = struct.unpack_from(f"<{count * _VALUES[kind]}", request, 4 + 2 * count)
        except struct.error as error:
            raise RequestError(f"The request is too short: {error}.") from None
        for number in numbers:
            if number >= len(self.slots):
                raise RequestError(f"There is no slot {number}: the slots are 0 to {len(self.slots) - 1}.")
        if len(set(numbers)) != count:
            raise RequestError("A slot occurs twice in one request.")
        slots = [self.slots[number] for number in numbers]
        if kind == RESET:
            return self._pack(kind, slots, self._reset(slots, values, every))
        self._check_started(numbers)
        if kind == RENDER:
            return struct.pack("<BBH", kind, 0, count) + b"".join(slot.game.screen().tobytes() for slot in slots)
        self._check_step(numbers, values)
        return self._pack(kind, slots, [slot.game.step(action) for slot, action in zip(slots, values)])

    def _reset(self, slots: list[Slot], seeds: tuple[int, ...], every: int) -> list[float]:
        for slot, seed in zip(slots, seeds):
            slot.game.reset(seed)
            slot.every = every
        return [0.0] * len(slots)

    def _check_started(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            if not self.slots[number].game.started:
                raise RequestError(f"Slot {number} has no episode yet: reset it first.")

    def _check_step(self, numbers: tuple[int, ...], actions: tuple[int, ...]) -> None:
        for number, action in zip(numbers, actions):
            if self.slots[number].game.done:
                raise RequestError(f"The episode of slot {number} is over: reset it first.")
            if action >= len(self.actions):
                meanings = ", ".join(f"{index} {name}" for index, name in enumerate(self.actions))
                raise RequestError(f"There is no action {action}. The actions are: {meanings}.")

    def _pack(self, kind: int, slots: list[Slot], rewards: list[float]) -> bytes:
        games = [slot.game for slot in slots]
        framed = [slot.wants_frame for slot in slots]
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
    return _json("ready", num_envs=len(session.slots), actions=session.actions)


def refusal(error: RequestError, code: str = "VALIDATION_ERROR") -> bytes:
    """The answer to a request that cannot be answered."""
    return _json("error", code=code, message=str(error))


def _json(type: str, **data) -> bytes:
    return json.dumps({"type": type, "data": data}).encode()
