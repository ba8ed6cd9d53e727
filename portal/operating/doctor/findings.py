"""What one look found, in words for whoever runs the machine; no secret stands in any of them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

from portal.core.secrets.log_redaction import REDACTED, redacted

# A shorter one is taken out only where it stands as a word: else every such letter would go.
LONG: Final = 8


class Level(StrEnum):
    """How it stands: `wrong` breaks something or leaves it open, `warn` may be meant so."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it stands, and what to do about it."""

    subject: str
    level: Level
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One subject and what looks at it; given up after so many seconds."""

    subject: str
    run: Callable[[], Iterable[Finding]]
    seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class Words:
    """Makes the findings of one subject."""

    subject: str

    def ok(self, found: str) -> Finding:
        """Nothing to do."""
        return Finding(self.subject, Level.OK, found)

    def warn(self, found: str, do: str) -> Finding:
        """Something that may be meant so, or will not last."""
        return Finding(self.subject, Level.WARN, found, do)

    def wrong(self, found: str, do: str) -> Finding:
        """Something that does not work, or stands open."""
        return Finding(self.subject, Level.WRONG, found, do)


def without_secrets(finding: Finding) -> Finding:
    """The same, and nothing in it that looks like a secret, or is one of this installation's own."""
    return Finding(finding.subject, finding.level, _without(finding.found), _without(finding.do))


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__


def _without(text: str) -> str:
    for secret in _secrets():
        pattern = re.escape(secret) if len(secret) >= LONG else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(pattern, lambda _: REDACTED, text)
    return redacted(text)


def _secrets() -> list[str]:
    database = settings.DATABASES["default"]
    sealing = [part.partition(":")[2].strip() for part in settings.SEALING_KEYS.split(",")]
    redis = urlsplit(settings.REDIS_URL).password or ""
    found = {
        settings.SECRET_KEY, *sealing, str(database.get("PASSWORD") or ""), redis, unquote(redis),
        settings.EMAIL_HOST_PASSWORD,
    }  # fmt: skip
    return sorted(filter(None, found), key=len, reverse=True)
