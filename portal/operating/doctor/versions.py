"""What runs here: the release, Python, and the packages beside it."""

import platform
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Final

from django.conf import settings

from portal import place
from portal.core.python_check import SLOW_COOKIES
from portal.core.web.door.headers import has_slow_cookies
from portal.operating.doctor.findings import Finding, Words

LOCK: Final = "requirements/runtime.txt"
LOCKED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)([^\n\\]*)", re.MULTILINE)
NAMED: Final = 5
words = Words("versions")


def look() -> Iterator[Finding]:
    """Python's own fault is for information: the portal looks after itself."""
    python = platform.python_version()
    yield words.ok(f"{settings.PRODUCT_NAME} {settings.VERSION}, Python {python}, {platform.machine()}")
    if has_slow_cookies():
        yield words.ok(SLOW_COOKIES.format(version=python))
    yield from packages((place.SITE / LOCK).read_text(encoding="utf-8"))


def packages(lock: str) -> Iterator[Finding]:
    """Whether what is installed is what the release was tried with."""
    other, missing = [], []
    for name, version, condition in LOCKED.findall(lock):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            # What is only for another system is not here.
            missing += [] if ";" in condition else [name]
            continue
        if installed != version:
            other.append(f"{name} {installed} instead of {version}")
    if other or missing:
        said = [*other, *(f"{name} is missing" for name in missing)]
        more = f" and {len(said) - NAMED} more" if len(said) > NAMED else ""
        yield words.warn(
            f"not what this release was tried with: {', '.join(said[:NAMED])}{more}",
            "python -m pip install --require-hashes -r requirements/runtime.txt",
        )
    else:
        yield words.ok(f"{len(LOCKED.findall(lock))} packages as locked")
