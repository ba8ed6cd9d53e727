"""What keeps the portal from starting at all, as the doctor says it: a line for each setting, and what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from portal.operating.doctor import printing
from portal.operating.doctor.findings import Finding, Words
from portal.starting import REFUSED, NotSet

HOW: Final = {
    "DATABASE_URL": "Set it to the database: postgres://user:password@host:5432/name",
    "PORTAL_SECRET_KEY": "Set it to what this prints, on every node the same: openssl rand -base64 48",
    "PORTAL_SEALING_KEYS": (
        "Set it to what every other node has, and the safe. Only for a new portal draw one, as docs/operating.md says; "
        "lost for good: docs/runbooks/lose-the-sealing-keys.md"
    ),
    "PORTAL_BASE_URL": "Set it to where people reach the portal: https://portal.example.com",
    "PORTAL_ALLOWED_HOSTS": "Set it to the host names that it answers to, by comma: portal.example.com",
    "EMAIL_URL": "Set it to where mail goes: smtp+tls://user:password@mail.example.com:587",
    "PORTAL_MAIL_FROM": "Set it to the sender of mail: portal@portal.example.com",
}
WRONG: Final = (
    "Put it right where the units read their settings: /etc/countersign/environment, as docs/operating.md says."
)
words = Words("settings")


@contextmanager
def refusing_in_findings(*, as_json: bool) -> Iterator[None]:
    """Print what is missing or wrong as the doctor prints all it finds, and end the process.

    Raises: SystemExit where a setting is missing or wrong.
    """
    try:
        yield
    except ImproperlyConfigured as error:
        found = looked_at(error)
        sys.stdout.write(printing.as_json(found) if as_json else printing.as_lines(found, in_colour=False))
        sys.stdout.write("\n")
        raise SystemExit(REFUSED) from None


def looked_at(error: ImproperlyConfigured) -> list[Finding]:
    """A finding for each setting that is missing; else the one that is wrong, in the words of whoever read it."""
    if isinstance(error, NotSet):
        return [words.wrong(f"{name} is not set", HOW[name]) for name in error.names]
    return [words.wrong(str(error), WRONG)]
