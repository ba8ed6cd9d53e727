"""Runs a command of the portal at another database: in a process of its own, whose DATABASE_URL is that one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from portal.operating.backups.failures import Failed

# A drill asks no exchange, counts no call where nodes count theirs, and reports nothing of what is old.
LET_GO: Final = (
    "REDIS_URL",
    "PORTAL_EXCHANGES",
    "PORTAL_PUBLIC_EXCHANGE",
    "PORTAL_ERRORS_DSN",
    "PORTAL_TRACES_ENDPOINT",
)

RUN: Final = "import sys; from portal.command_line import run; run(sys.argv)"


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal as it is here, at the database of that URL."""

    url: str
    is_drill: bool

    def command(self, *arguments: str) -> str:
        """What a command of manage.py prints there.

        Raises: Failed with what it says is wrong.
        """
        environment = {**os.environ, "DATABASE_URL": self.url, "DJANGO_SETTINGS_MODULE": "portal.settings"}
        if self.is_drill:
            environment.update(dict.fromkeys(LET_GO, ""))
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of it is a stranger's
            [sys.executable, "-c", RUN, *arguments], cwd=settings.BASE_DIR, env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise Failed(f"{arguments[0]}: {_told(done.stderr)}")
        return done.stdout


def _told(stderr: str) -> str:
    """The last line, where a command, or Python, says what was wrong."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1].removeprefix("CommandError: ") if lines else "it failed without a word"
