"""What travels over OpenEnv: action, observation and state of an Atari environment."""

from typing import Optional

from openenv.core.env_server.types import Action, Observation, State
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from .options import AtariOptions


class AtariAction(Action):
    """One step's action."""

    action_id: int = Field(strict=True, ge=0, description="Index into `action_meanings`.")


def action_model(names: list[str]) -> type[AtariAction]:
    """`AtariAction` for an environment with these actions: their number is a bound, their names are in the schema."""
    meanings = ", ".join(f"{index} {name}" for index, name in enumerate(names))
    field = Field(strict=True, ge=0, lt=len(names), description=f"The action: {meanings}.", json_schema_extra={"action_meanings": names})
    return create_model("AtariAction", __base__=AtariAction, __doc__=AtariAction.__doc__, action_id=(int, field))


class AtariObservation(Observation):
    """What the player sees after a reset or a step."""

    ram: list[int] = Field(description="The 128 bytes of the console's memory.")
    lives: int = Field(description="Lives left; 0 in games without lives.")
    score: float = Field(description="Sum of the episode's rewards.")
    terminated: bool = Field(description="The game is over.")
    truncated: bool = Field(description="The episode was cut off at `max_frames`.")
    frame_number: int = Field(description="Frames since the episode's start, idle starts included.")
    legal_actions: list[int] = Field(description="Valid values of `action_id`.")
    action_meanings: list[str] = Field(description="Names of the actions, in the order of `action_id`.")
    screen: Optional[str] = Field(
        default=None, description="With obs_type 'screen': base64 of the screen's palette indices, one byte per pixel, row by row."
    )
    screen_shape: list[int] = Field(default=[210, 160], description="Height and width of the screen.")


class AtariState(State):
    """Where an episode stands, and everything needed to play it again."""

    options: AtariOptions = Field(default_factory=AtariOptions, description="The options of the environment.")
    seed: Optional[int] = Field(default=None, description="The episode's seed; None before the first reset.")
    lives: int = Field(default=0, description="Lives left.")
    score: float = Field(default=0.0, description="Sum of the episode's rewards.")
    frame_number: int = Field(default=0, description="Frames since the episode's start, idle starts included.")
    terminated: bool = Field(default=False, description="The game is over.")
    truncated: bool = Field(default=False, description="The episode was cut off at `max_frames`.")
    action_meanings: list[str] = Field(default_factory=list, description="Names of the actions, in the order of `action_id`.")
    screen: Optional[str] = Field(default=None, description="Base64 of the screen's palette indices, one byte per pixel, row by row.")
    screen_shape: list[int] = Field(default=[210, 160], description="Height and width of the screen.")


class ResetArguments(BaseModel):
    """The arguments of `reset`; others are an error."""

    model_config = ConfigDict(extra="forbid")

    seed: Optional[int] = Field(default=None, strict=True, ge=0, lt=2**53)
    episode_id: Optional[str] = Field(default=None, max_length=255)

    @model_validator(mode="before")
    @classmethod
    def _known_arguments(cls, given: dict) -> dict:
        for name in given:
            if name not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise PydanticCustomError("unknown_argument", "reset has no argument '{name}'; it takes: {known}", {"name": name, "known": known})
        return given
