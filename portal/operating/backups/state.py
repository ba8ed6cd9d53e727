"""When the last backup and the last drill were: small files in PORTAL_VAR, which outlive the database."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from django.conf import settings

FOLDER: Final = "backups-state"
Done = Literal["backup", "drill"]


def ages() -> tuple[datetime | None, datetime | None]:
    """When the last backup and the last drill that succeeded on this machine were finished; None for never.

    Two small files are read and no database is asked. What cannot be read counts as never, so that whoever watches is
    told. A machine that makes no backups itself knows of none.
    """
    return last("backup"), last("drill")


def last(what: Done) -> datetime | None:
    """When that was last finished here; None for never."""
    try:
        at = datetime.fromisoformat(json.loads(_file(what).read_text(encoding="utf-8"))["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return at if at.tzinfo else None


def note(what: Done, **facts: str | int | float) -> None:
    """Write down that it was finished now. A reader meets the old file or the new one, never half of one."""
    path = _file(what)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), **facts}) + "\n", encoding="utf-8")
    beside.replace(path)


def _file(what: Done) -> Path:
    return Path(settings.VAR) / FOLDER / f"last-{what}.json"
