"""What a service is told when it starts: where it listens, whom it answers, and how much it takes on at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from passline.errors import OptionError

# A token that nobody guesses has at least so many characters.
SHORTEST = 16


@dataclass(frozen=True)
class Limits:
    """How much one request, and all of them together, may take.

    ``seconds``: until a request's body is there, and until its answer is. ``header_bytes``: request line and headers.
    ``at_once``: requests in progress; what comes beyond is told to come again.
    """

    body_bytes: int = 4_000_000
    rows: int = 10_000
    seconds: float = 10.0
    header_bytes: int = 32_768
    at_once: int = 256

    @property
    def held_bytes(self) -> int:
        """Bytes of bodies that may wait in memory, of all requests together."""
        return 8 * self.body_bytes


@dataclass(frozen=True)
class Settings:
    """Where to listen, who may ask, within which limits.

    ``port`` 0 takes a free one. ``allowed_hosts``: names beside the loopback's under which the service may be asked.
    ``watch_seconds``: how often the model files are looked at.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    watch_seconds: float = 1.0


def checked(settings: Settings) -> Settings:
    """The same, if its numbers are numbers one can serve with; raises OptionError."""
    limits = settings.limits
    for option, value in (
        ("--max-rows", limits.rows),
        ("--max-body", limits.body_bytes),
        ("--max-seconds", limits.seconds),
        ("--max-requests", limits.at_once),
    ):
        if not 0 < value < math.inf:
            raise OptionError(f"{option} is {value}: give a number above 0")
    return settings


def read_token(path: str) -> str:
    """The token in a file. Raises OptionError where there is none, or a short one."""
    try:
        token = Path(path).read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        raise OptionError(f"{path} holds no token: write letters and digits, as `openssl rand -hex 32` does") from None
    except OSError as error:
        raise OptionError(f"cannot read the token file {path}: {error.strerror}") from None
    if not len(token) >= SHORTEST or not token.isprintable() or " " in token:
        raise OptionError(
            f"{path} holds no token of at least {SHORTEST} characters: write one, `openssl rand -hex 32 > {path}`"
        )
    return token
