"""One Atari game: the same class plays OpenEnv sessions and rollouts, so their episodes are identical."""

from copy import copy
from random import Random

import numpy as np
from ale_py import Action, ALEInterface, LoggerMode, roms

from .auto_fire import start_rule
from .options import AtariOptions

ALEInterface.setLoggerMode(LoggerMode.Error)

#: Height and width of a screen, in pixels.
SCREEN_SHAPE = (210, 160)
#: Games whose states, as ALE gives them, leave out what shows only now and then: a hidden part of the memory, a count of strokes, a part of the picture.
_LEFT_OUT = ("miniature_golf", "tic_tac_toe_3d", "trondead", "yars_revenge")

#: What an episode has come to, beside the console.
_PROGRESS = ("seed", "steps", "frames", "score", "lives", "terminated", "truncated")


class AtariGame:
    """
    A game that is played step by step.

    Episodes start from a saved state and draw their idle start and their sticky
    actions from a generator of their own, so that equal options, seed and actions
    give equal episodes, in every process. (ALE's own generator for sticky actions
    starts anew only when the ROM is loaded, which takes 80 ms.)
    """

    def __init__(self, options: AtariOptions):
        self.options = options
        self._ale = ale = ALEInterface()
        ale.setInt("random_seed", 0)
        ale.setInt("frame_skip", 1)
        ale.setFloat("repeat_action_probability", 0.0)
        ale.loadROM(roms.get_rom_path(options.game))
        _choose("mode", options.mode, ale.getAvailableModes(), ale.setMode)
        _choose("difficulty", options.difficulty, ale.getAvailableDifficulties(), ale.setDifficulty)
        ale.reset_game()
        self._start = ale.cloneState()
        self._restores = _restores_exactly(ale, self._start)

        self._rule = start_rule(options.game, ale) if options.auto_fire else None
        chosen = ale.getLegalActionSet() if options.full_action_space else ale.getMinimalActionSet()
        if self._rule and self._rule.only_use and not options.full_action_space:
            chosen = [action for action in chosen if action != Action.FIRE]
        #: Names of the actions; an action is an index into them.
        self.actions: list[str] = [action.name for action in chosen]
        self._codes = [action.value for action in chosen]
        self._fire = Action.FIRE.value
        self._begin(0)

    def _begin(self, seed: int) -> None:
        self._to_start()
        self._random = Random(seed)
        self._held = Action.NOOP.value
        self.seed = seed
        self.steps = self.frames = 0
        self.score = 0.0
        self.lives = self._ale.lives()
        self.terminated = self.truncated = False
        if self._rule:
            self._rule.life_began()

    def _to_start(self) -> None:
        if not self._restores:
            self._ale.reset_game()
        self._ale.restoreState(self._start)

    def reset(self, seed: int) -> None:
        """Starts the episode of `seed`: 0 to `noop_max` idle frames, then the player's turn."""
        self._begin(seed)
        idle = int(self._random.random() * (self.options.noop_max + 1))
        for _ in range(min(idle, self.options.max_frames - 1)):
            self._ale.act(Action.NOOP.value)
            self.frames += 1
            if self._ale.game_over():
                self._to_start()
        self.lives = self._ale.lives()

    @property
    def copies_exactly(self) -> bool:
        """Whether another game can become this one."""
        return self._restores and self.options.game not in _LEFT_OUT

    def become(self, other: "AtariGame") -> None:
        """Goes on from where `other`, a game with the same options, is. The screen follows with the next step."""
        self._ale.restoreState(other._ale.cloneState())
        self._random = copy(other._random)
        self._held = other._held
        self._rule = copy(other._rule)
        for name in _PROGRESS:
            setattr(self, name, getattr(other, name))

    def step(self, action: int) -> float:
        """
        Plays `frame_skip` frames of action number `action` and gives the reward, the change of the score.

        On each frame the action of the frame before is repeated with the
        probability `repeat_action_probability`: ALE's rule for sticky actions.
        """
        ale, random = self._ale, self._random.random
        sticky = self.options.repeat_action_probability
        code = self._codes[action]
        if self._rule and self._rule.due(ale):
            code = self._fire
        reward = 0
        for _ in range(self.options.frame_skip):
            if not sticky or random() >= sticky:
                self._held = code
            reward += ale.act(self._held)
            self.frames += 1
            if self._rule and self._held == self._fire:
                self._rule.fired()
            if ale.game_over():
                self.terminated = True
                break
        if not self.terminated and self.frames >= self.options.max_frames:
            self.truncated = True
        lives = ale.lives()
        if lives < self.lives:
            if self._rule:
                self._rule.life_began()
            if self.options.terminal_on_life_loss:
                self.terminated, self.truncated = True, False
        self.lives = lives
        self.score += reward
        self.steps += 1
        return float(reward)

    @property
    def done(self) -> bool:
        return self.terminated or self.truncated

    def ram(self) -> np.ndarray:
        """The 128 bytes of memory, uint8."""
        return self._ale.getRAM()

    def screen(self) -> np.ndarray:
        """The screen as palette indices, uint8, shape (210, 160)."""
        return self._ale.getScreen()


def _choose(name: str, value: int | None, available: list[int], choose) -> None:
    if value is None:
        return
    if value not in available:
        raise ValueError(f"{name}: the game has no {name} {value}. Valid are: {', '.join(map(str, available))}.")
    choose(value)


def _restores_exactly(ale: ALEInterface, start) -> bool:
    """
    Whether restoring `start`, the state that the game is in, brings all of it back.

    A few games (Q*bert, Tetris) start amid a picture. ALE's states leave out that
    they do, and only a whole reset, which takes 100 times as long, brings it back.
    """

    def frames() -> list[bytes]:
        return [(ale.act(Action.NOOP.value), ale.getRAM().tobytes())[1] for _ in range(4)]

    first = frames()
    ale.restoreState(start)
    return frames() == first
