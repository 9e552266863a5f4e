"""When the environment itself presses FIRE, so that a life begins without the player's doing."""

from typing import Optional, Protocol

from ale_py import Action, ALEInterface


class StartRule(Protocol):
    """Says when FIRE is due. It is pressed in place of the player's action."""

    #: Whether starting is all that FIRE does in the game: it is then left out of the actions.
    only_use: bool

    def life_began(self) -> None: ...

    def due(self, ale: ALEInterface) -> bool: ...

    def fired(self) -> None: ...


class FireOncePerLife:
    """FIRE is due at the start and after each lost life, until a frame has pressed it."""

    only_use = False

    def __init__(self) -> None:
        self._pending = True

    def life_began(self) -> None:
        self._pending = True

    def due(self, ale: ALEInterface) -> bool:
        return self._pending

    def fired(self) -> None:
        self._pending = False


class FireWhileZero:
    """FIRE is due while a byte of the RAM is zero: where the byte is zero exactly when nothing is in play."""

    only_use = True

    def __init__(self, byte: int) -> None:
        self._byte = byte

    def life_began(self) -> None: ...

    def due(self, ale: ALEInterface) -> bool:
        return ale.getRAM()[self._byte] == 0

    def fired(self) -> None: ...


#: Games where FIRE does nothing but serve, with the byte that is zero until it is pressed.
SERVE_BYTES = {"breakout": 101}


def start_rule(game: str, ale: ALEInterface) -> Optional[StartRule]:
    """The rule of a game; None where its own actions do not include FIRE."""
    if Action.FIRE not in ale.getMinimalActionSet():
        return None
    if game in SERVE_BYTES:
        return FireWhileZero(SERVE_BYTES[game])
    return FireOncePerLife()
