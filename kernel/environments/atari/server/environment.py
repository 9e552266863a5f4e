"""The OpenEnv environment: one session plays one game."""

import base64
import secrets
import uuid
from typing import Any, Optional

from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import EnvironmentMetadata

from .game import AtariGame
from .models import AtariAction, AtariObservation, AtariState, ResetArguments
from .options import AtariOptions
from .pool import pool


class AtariEnvironment(Environment[AtariAction, AtariObservation, AtariState]):
    """An Atari game behind OpenEnv's reset, step and state."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, options: AtariOptions, actions: list[str]):
        super().__init__()
        self._options = options
        self._actions = actions
        self._game: Optional[AtariGame] = None
        self._episode_id: Optional[str] = None

    def reset(self, seed: Optional[int] = None, episode_id: Optional[str] = None, **unknown: Any) -> AtariObservation:
        """Starts an episode. Without a seed it draws one, which `state` tells."""
        arguments = ResetArguments(seed=seed, episode_id=episode_id, **unknown)
        if self._game is None:
            self._game = pool.take(self._options)
        self._game.reset(secrets.randbits(32) if arguments.seed is None else arguments.seed)
        self._episode_id = arguments.episode_id or str(uuid.uuid4())
        return self._observation(reward=None)

    def step(self, action: AtariAction, timeout_s: Optional[float] = None, **unknown: Any) -> AtariObservation:
        """Plays `frame_skip` frames of the action."""
        if self._game is None:
            self.reset()  # POST /step plays in a fresh environment, by the standard
        elif self._game.done:
            raise RuntimeError("The episode is over. Call reset to start the next one.")
        return self._observation(reward=self._game.step(action.action_id))

    @property
    def state(self) -> AtariState:
        game = self._game
        if game is None:
            return AtariState(options=self._options, action_meanings=self._actions)
        return AtariState(
            options=self._options,
            action_meanings=self._actions,
            episode_id=self._episode_id,
            step_count=game.steps,
            seed=game.seed,
            lives=game.lives,
            score=game.score,
            frame_number=game.frames,
            terminated=game.terminated,
            truncated=game.truncated,
            screen=_base64_screen(game),
        )

    def get_metadata(self) -> EnvironmentMetadata:
        return EnvironmentMetadata(
            name="atari",
            description=f"The Atari game {self._options.game}. Actions: {', '.join(self._actions)}.",
            version="1.0.0",
            documentation_url="https://ale.farama.org/environments/" + self._options.game,
        )

    def close(self) -> None:
        if self._game is not None:
            pool.give_back(self._game)
            self._game = None

    def _observation(self, reward: Optional[float]) -> AtariObservation:
        game = self._game
        return AtariObservation(
            ram=game.ram().tolist(),
            lives=game.lives,
            score=game.score,
            terminated=game.terminated,
            truncated=game.truncated,
            frame_number=game.frames,
            legal_actions=list(range(len(self._actions))),
            action_meanings=self._actions,
            screen=_base64_screen(game) if self._options.obs_type == "screen" else None,
            reward=reward,
            done=game.done,
            metadata={"terminated": game.terminated, "truncated": game.truncated},
        )


def _base64_screen(game: AtariGame) -> str:
    return base64.b64encode(game.screen()).decode("ascii")
