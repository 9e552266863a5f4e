"""Games that are ready to be played again: loading a ROM takes 80 ms, starting an episode 30 µs."""

from threading import Lock

from .game import AtariGame
from .options import AtariOptions

_MOST_IDLE = 64


class GamePool:
    """Lends games and keeps those that come back."""

    def __init__(self) -> None:
        self._idle: list[AtariGame] = []
        self._lock = Lock()

    def take(self, options: AtariOptions) -> AtariGame:
        """A game with these options. Its next call must be `reset`."""
        with self._lock:
            for index, game in enumerate(self._idle):
                if game.options == options:
                    return self._idle.pop(index)
        return AtariGame(options)

    def give_back(self, game: AtariGame) -> None:
        with self._lock:
            self._idle.append(game)
            del self._idle[:-_MOST_IDLE]


#: The games of this process.
pool = GamePool()
