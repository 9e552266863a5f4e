"""
Who has a place, and who gives it up on a full server.

kernel/openenv/serving/places.ts has the same rules: while there is room nobody gives up anything;
then of those that nothing came for, first who was never played, then who has waited the longest.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Awaitable, Callable, Optional

from .limits import PLAYED, UNPLAYED

YIELDED = (
    "The session was closed: nothing came for a while, and on the full server others were waiting for a place. "
    "A new session can be opened."
)


@dataclass(eq=False)
class Session:
    """A game that a client has: over a WebSocket, or without one, under an ID."""

    #: Ends it, once.
    end: Callable[[], Awaitable[None]]
    played: bool = False
    #: Requests that are being answered.
    busy: int = 0
    #: The connection that plays in a session which has an ID.
    leave: Optional[Callable[[], Awaitable[None]]] = None
    _since: float = field(default_factory=time.monotonic)

    @property
    def idle(self) -> float:
        return 0 if self.busy > 0 else time.monotonic() - self._since

    def touch(self, busy: int = 0) -> None:
        """Something comes (`busy` 1), or was answered (-1)."""
        self.busy += busy
        self._since = time.monotonic()


class Places:
    """The sessions of a server."""

    def __init__(self, capacity: int, unplayed: float = UNPLAYED, played: float = PLAYED):
        self._capacity = capacity
        self._unplayed, self._played = unplayed, played
        self._taken: set[Session] = set()
        self._held: dict[str, Session] = {}
        self._asking = asyncio.Lock()

    def take(self, session: Session, name: Optional[str] = None) -> None:
        self._taken.add(session)
        if name is not None:
            self._held[name] = session

    def free(self, session: Session) -> None:
        self._taken.discard(session)
        self._held = {name: held for name, held in self._held.items() if held is not session}

    def find(self, name: object) -> Optional[Session]:
        """The session with an ID."""
        return self._held.get(name) if isinstance(name, str) else None

    async def make_room(self) -> None:
        """Ends a session that has to give up its place, where all are taken."""
        async with self._asking:
            while len(self._taken) >= self._capacity and (session := self._to_yield()):
                self.free(session)
                if session.leave:
                    await session.leave()
                await session.end()

    def _to_yield(self) -> Optional[Session]:
        waiting = [it for it in self._taken if it.idle >= (self._played if it.played else self._unplayed)]
        return min(waiting, key=lambda it: (it.played, -it.idle), default=None)
