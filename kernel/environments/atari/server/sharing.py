"""Games of several episodes that are the same so far."""

from typing import Optional

from .game import AtariGame
from .options import AtariOptions
from .pool import pool


class SharedGames:
    """
    The games of numbered slots. Slots that start together from one seed share a
    game until their actions differ: it is played once for all of them, and then
    copied. Programs that are tried side by side do the same for long.
    """

    def __init__(self, options: AtariOptions, count: int):
        self._options = options
        #: As many as are needed.
        self._games = [pool.take(options)]
        #: The game of each slot; None before its first episode.
        self._of: list[Optional[AtariGame]] = [None] * count

    def __len__(self) -> int:
        return len(self._of)

    def __getitem__(self, slot: int) -> Optional[AtariGame]:
        return self._of[slot]

    @property
    def actions(self) -> list[str]:
        return self._games[0].actions

    def close(self) -> None:
        for game in self._games:
            pool.give_back(game)

    def reset(self, slots: tuple[int, ...], seeds: tuple[int, ...]) -> None:
        """Starts an episode in each of `slots`."""
        for slot in slots:
            self._of[slot] = None
        free = self._unused()
        begun: dict[object, AtariGame] = {}
        for slot, seed in zip(slots, seeds):
            # A game that cannot be copied is shared with nobody.
            key = seed if self._games[0].copies_exactly else ("slot", slot)
            if key not in begun:
                begun[key] = self._one_of(free)
                begun[key].reset(seed)
            self._of[slot] = begun[key]

    def step(self, slots: tuple[int, ...], actions: tuple[int, ...]) -> list[float]:
        """Takes a step in each of `slots`. Returns the rewards."""
        free = self._unused()
        stepped = set(slots)
        # Games that stay as they are, for others, or go on with an action already.
        taken = {game for slot, game in enumerate(self._of) if slot not in stepped}
        playing: dict[tuple[AtariGame, int], AtariGame] = {}
        for slot, action in zip(slots, actions):
            game = self._of[slot]
            if (game, action) not in playing:
                if game in taken:
                    playing[game, action] = self._one_of(free)
                    playing[game, action].become(game)
                else:
                    playing[game, action] = game
                    taken.add(game)
            self._of[slot] = playing[game, action]
        rewards = {game: game.step(action) for (_, action), game in playing.items()}
        return [rewards[self._of[slot]] for slot in slots]

    def _unused(self) -> list[AtariGame]:
        used = set(self._of)
        return [game for game in self._games if game not in used]

    def _one_of(self, free: list[AtariGame]) -> AtariGame:
        if free:
            return free.pop()
        self._games.append(pool.take(self._options))
        return self._games[-1]
