"""What this node knows of itself without asking for much: whether it can serve, what it is, when it was backed up."""

import platform
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from portal.core.observing import folder
from portal.core.observing.meters import AtScrape
from portal.core.secrets import sealing
from portal.dashboard import readiness
from portal.dashboard.readiness import Readiness
from portal.operating.backups import state
from portal.operating.metrics.standing import Found

WHAT: Final = ("database", "migrations", "sealing", "static", "duties", "mail", "counters", "proxies")
WORDS: Final = (
    "ok", "away", "read-only", "full", "behind", "ahead", "wrong", "missing", "late", "failing", "unlisted",
)  # fmt: skip
READY: Final = AtScrape("countersign_ready", "Whether this node can serve, as `/readyz` says it: 1 or 0.")
READINESS: Final = AtScrape(
    "countersign_readiness",
    "The words of `/readyz`: 1 for the word that is true of what was looked at.",
    {"what": WHAT, "word": WORDS},
)
DATABASE_UP: Final = AtScrape(
    "countersign_database_up", "Whether the database answered in time what is told of the installation: 1 or 0."
)
STORED: Final = AtScrape(
    "countersign_metrics_stored",
    "Whether the folder of measures could be read, and takes those of this process: 1 or 0.",
)
PROCESSES: Final = AtScrape("countersign_processes", "Processes of this machine that write their measures.")
BUILD: Final = AtScrape(
    "countersign_build_info",
    "What this node runs.",
    {"version": lambda: (settings.VERSION,), "python": (platform.python_version(),)},
)
SEALING: Final = AtScrape(
    "countersign_sealing_key_info",
    "By its name the key that seals new secrets on this node.",
    {"key": sealing.key_names},
)
BACKUP: Final = AtScrape(
    "countersign_backup_age_seconds", "How long ago the last backup of this machine was finished; absent for never."
)
DRILL: Final = AtScrape(
    "countersign_drill_age_seconds", "How long ago the last drill of this machine was finished; absent for never."
)


def look(ready: Readiness) -> Found:
    """No database is asked: `ready` was found before."""
    backup, drill = state.ages()
    return {
        READY: {(): float(ready.is_ready)},
        READINESS: dict.fromkeys(ready.words.items(), 1.0),
        BUILD: {(settings.VERSION, platform.python_version()): 1.0},
        SEALING: {(sealing.sealing_key(),): 1.0},
        BACKUP: dict(_age(backup)),
        DRILL: dict(_age(drill)),
    }


def is_ready() -> Readiness:
    """As `/readyz` found it a moment ago, or now."""
    return readiness.now()


def processes() -> Found:
    """How many processes of this machine write. Raises: OSError."""
    return {PROCESSES: {(): float(folder.living(settings.METRICS_DIR))}}


def _age(at: datetime | None) -> Iterator[tuple[tuple[()], float]]:
    if at is not None:
        yield (), max((timezone.now() - at).total_seconds(), 0.0)
