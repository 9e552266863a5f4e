"""What can be chosen about an Atari environment."""

import difflib
import os
from typing import Literal, Mapping, Optional

from ale_py import ALEInterface, roms
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


def playable(game: str) -> bool:
    """Whether ALE plays the game with one player."""
    return game in roms.get_all_rom_ids() and bool(ALEInterface.isSupportedROM(roms.get_rom_path(game)))


class AtariOptions(BaseModel):
    """The options of an Atari environment. Together with a seed and actions they determine an episode exactly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    game: str = Field(default="breakout", description="Name of the game, in ALE's spelling: 'space_invaders'.")
    frame_skip: int = Field(default=4, ge=1, le=60, description="Frames per step; each repeats the step's action.")
    repeat_action_probability: float = Field(
        default=0.25, ge=0, le=1, description="Sticky actions: how likely a frame repeats the previous frame's action."
    )
    auto_fire: bool = Field(
        default=True, description="The environment presses FIRE itself to start each life, so that no step is wasted waiting."
    )
    terminal_on_life_loss: bool = Field(
        default=False, description="An episode ends (`terminated`) with the first life that is lost, not with the game."
    )
    mode: Optional[int] = Field(default=None, description="The game's mode; None is its default.")
    difficulty: Optional[int] = Field(default=None, description="The game's difficulty; None is its default.")
    full_action_space: bool = Field(
        default=False, description="Offer all 18 actions of the joystick instead of those that the game uses."
    )
    noop_max: int = Field(
        default=30, ge=0, le=600, description="An episode starts with 0 to this many idle frames, drawn from its seed."
    )
    max_frames: int = Field(
        default=108_000, ge=1, description="An episode is truncated after this many frames, starts included (30 minutes)."
    )
    obs_type: Literal["ram", "screen"] = Field(
        default="ram", description="'screen' adds the screen to every observation; the RAM is always there."
    )

    @field_validator("game")
    @classmethod
    def _known_game(cls, game: str) -> str:
        if not playable(game):
            games = sorted(filter(playable, roms.get_all_rom_ids()))
            near = difflib.get_close_matches(game, games, n=3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(f"There is no game '{game}'.{hint} The games are: {', '.join(games)}.")
        return game


def options_from_environment(variables: Mapping[str, str] = os.environ) -> AtariOptions:
    """Options from environment variables: `ATARI_GAME`, `ATARI_FRAME_SKIP` and so on, one per option."""
    given = {name: variables.get(f"ATARI_{name.upper()}") for name in AtariOptions.model_fields}
    return AtariOptions(**{name: value for name, value in given.items() if value not in (None, "")})


def explain(error: ValidationError) -> str:
    """The problems of a validation error in one line of plain words."""
    problems = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            problems.append(f"There is no option '{name}'. The options are: {', '.join(AtariOptions.model_fields)}.")
        else:
            problems.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return " ".join(problems)
