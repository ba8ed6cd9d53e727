"""The settings: what is missing, contradicts itself, or leaves something open."""

import difflib
import os
import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from portal.operating.doctor.findings import Finding, Words

HERE: Final = {"localhost", "127.0.0.1", "::1"}
SHORTEST_SECRET: Final = 50
FEWEST_LETTERS: Final = 10
# A proxy lies in a network of one's own: one as wide as these holds strangers.
WIDEST: Final = {4: 8, 6: 32}
NOWHERE: Final = ("console", "dummy", "locmem", "filebased")
words = Words("settings")


def look() -> Iterator[Finding]:
    """Say what stands against each group of settings, and which there is nothing to say of."""
    found = [*_debug(), *_address(), *_hosts(), *_secret(), *_proxies(), *_mail(), *_limits(), *_misspelt()]
    yield from found or [words.ok(f"complete, for {settings.BASE_URL}")]


def _debug() -> Iterator[Finding]:
    if settings.DEBUG:
        said = "PORTAL_DEBUG is on: error pages show the code, cookies need no TLS"
        if _is_here():
            yield words.warn(said, "Fine for trying it out on this machine. Unset PORTAL_DEBUG for anything else.")
        else:
            yield words.wrong(said, "Unset PORTAL_DEBUG, set what is missing then, and start anew.")


def _address() -> Iterator[Finding]:
    parts = urlsplit(settings.BASE_URL)
    if parts.scheme != "https" and not (settings.DEBUG and _is_here()):
        yield words.wrong(
            f"PORTAL_BASE_URL is {settings.BASE_URL}: passkeys and cookies of a portal in public need https",
            "Set PORTAL_BASE_URL=https://… as people see it in their browser.",
        )
    if parts.path or parts.query or not parts.hostname:
        yield words.wrong(
            f"PORTAL_BASE_URL is {settings.BASE_URL}: it is not scheme and host alone",
            "Leave the path out: the portal lies at the root of a host of its own.",
        )


def _hosts() -> Iterator[Finding]:
    host = urlsplit(settings.BASE_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield words.wrong(
            f"PORTAL_ALLOWED_HOSTS does not name {host}, the host of PORTAL_BASE_URL: every page is refused",
            f"Add {host} to PORTAL_ALLOWED_HOSTS.",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield words.warn("PORTAL_ALLOWED_HOSTS is *: it answers to any name", f"Name {host} instead.")


def _secret() -> Iterator[Finding]:
    secret = settings.SECRET_KEY
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_LETTERS:
        yield words.wrong(
            "PORTAL_SECRET_KEY is short or was not drawn at random: sessions could be forged",
            "python3 -c 'import secrets; print(secrets.token_urlsafe(64))' draws one. Everybody signs in anew then.",
        )


def _proxies() -> Iterator[Finding]:
    if not settings.TRUSTED_PROXIES and not settings.DEBUG:
        yield words.warn(
            "PORTAL_TRUSTED_PROXIES is empty: behind a proxy all callers count as one, and as without TLS",
            "Name the addresses from which your proxies call, as PORTAL_TRUSTED_PROXIES=127.0.0.1.",
        )
    for name in settings.TRUSTED_PROXIES:
        try:
            network = ip_network(name)
        except ValueError:
            yield words.wrong(
                f"PORTAL_TRUSTED_PROXIES: {name!r} is no address and no range", "Write 10.0.0.5, or 10.0.0.0/24."
            )
            continue
        if network.prefixlen < WIDEST[network.version]:
            yield words.wrong(
                f"PORTAL_TRUSTED_PROXIES: {name} holds strangers, who could name any source as theirs",
                "Name your proxies alone.",
            )


def _mail() -> Iterator[Finding]:
    kind = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if kind in NOWHERE:
        yield words.warn(
            f"EMAIL_URL sends nothing ({kind}): invitations and links reach nobody",
            "Set EMAIL_URL=smtp+tls://user:password@mail.example.org:587.",
        )
    if "@" not in settings.DEFAULT_FROM_EMAIL:
        yield words.wrong(f"PORTAL_MAIL_FROM is no address: {settings.DEFAULT_FROM_EMAIL}", "Set it to one you own.")


def _limits() -> Iterator[Finding]:
    if not settings.API_LIMITS and not settings.DEBUG:
        yield words.warn("PORTAL_API_LIMITS is 0: no counter refuses a bot", "Fine where all bots are your own.")


def _misspelt() -> Iterator[Finding]:
    for name in sorted(os.environ):
        if name.startswith("PORTAL_") and name not in known_names():
            near = difflib.get_close_matches(name, known_names(), 1)
            yield words.warn(
                f"{name} is set, and the portal reads no such setting",
                f"Did you mean {near[0]}?" if near else "Remove it: docs/operating.md names all there are.",
            )


@cache
def known_names() -> frozenset[str]:
    """The variables that the portal reads, by the settings' own text."""
    settings_folder = Path(__file__).resolve().parents[2]
    texts = (path.read_text(encoding="utf-8") for path in settings_folder.glob("*.py"))
    return frozenset(name for text in texts for name in re.findall(r'"((?:PORTAL_|DATABASE_|REDIS_|EMAIL_)\w+)"', text))


def _is_here() -> bool:
    return urlsplit(settings.BASE_URL).hostname in HERE
