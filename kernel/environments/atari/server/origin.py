"""Who may play: kernel/openenv/serving/protocol/origin.ts has the same rules, and says why."""

import os
import re
from dataclasses import dataclass, field
from typing import Iterable, Optional

_NAME = r"(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)"
_ORIGIN = re.compile(rf"([a-z][a-z0-9+.-]*)://{_NAME}(?::(\d{{1,5}}))?")
_HOST = re.compile(rf"{_NAME}(?::\d{{1,5}})?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".test")


def origins_of_environment() -> list[str]:
    """The sites of the variable `JOYLAB_ALLOWED_ORIGINS`, separated by commas."""
    sites = [site.strip().lower() for site in os.environ.get("JOYLAB_ALLOWED_ORIGINS", "").split(",")]
    for site in filter(None, sites):
        if site != "*" and not _ORIGIN.fullmatch(site):
            raise ValueError(f"JOYLAB_ALLOWED_ORIGINS has '{site}': an origin is a scheme, a host and perhaps a port, such as 'https://my.example', or '*' for all.")
    return [site for site in sites if site]


@dataclass
class Access:
    """Whom a server lets in."""

    #: Whether it listens for this machine alone; None: as each connection came.
    local: Optional[bool] = None
    #: Sites beside its own whose pages may play, and under whose names it may be reached.
    allowed: list[str] = field(default_factory=origins_of_environment)

    def refused_host(self, hosts: Iterable[str], local: bool) -> Optional[str]:
        """Why a request is refused, whatever it asks for."""
        if not local or "*" in self.allowed:
            return None
        known = {_ORIGIN.fullmatch(site)[2] for site in self.allowed}
        for host in hosts:
            found = _HOST.fullmatch(host.lower())
            name = found[1].removesuffix(".") if found else ""
            if not _is_private_name(name) and name not in known:
                return "This server is for this machine alone, and is not known by this name: reach it at localhost, or allow the name (JOYLAB_ALLOWED_ORIGINS)."
        return None

    def refused_origin(self, origins: list[str], host: str, local: bool) -> Optional[str]:
        """Why a request that plays is refused, because of the page that asks for it."""
        if not origins or "*" in self.allowed:
            return None
        page = _parts(origins[0]) if len(origins) == 1 else None
        if page:
            scheme, name, _ = page
            if is_loopback(name) or any(_parts(site) == page for site in self.allowed):
                return None
            if not local and _parts(f"{scheme}://{host}") == page:
                return None
        return "Pages of other sites may not play here, unless they are allowed (JOYLAB_ALLOWED_ORIGINS)."


def is_loopback(name: str) -> bool:
    """Whether a name is one of this machine, and of it alone."""
    return name == "localhost" or name.endswith(".localhost") or bool(re.fullmatch(r"127\.\d+\.\d+\.\d+", name)) or name in ("[::1]", "::1")


def _parts(origin: str) -> Optional[tuple[str, str, str]]:
    found = _ORIGIN.fullmatch(origin.lower())
    return found and (found[1], found[2], found[3] or _DEFAULT_PORTS.get(found[1], ""))


def _is_private_name(name: str) -> bool:
    """Whether nobody outside can have this name."""
    return name.startswith("[") or bool(re.fullmatch(r"\d+(\.\d+){3}|[^.]+", name)) or name.endswith(_PRIVATE_ENDINGS)
