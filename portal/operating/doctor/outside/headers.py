"""What the portal sees of a request that comes through the proxy: asked of itself, by who has its secret key."""

import json
from collections.abc import Iterator
from typing import Any, Final

from portal.dashboard import seen
from portal.operating.doctor.findings import Finding, Words
from portal.operating.doctor.outside.site import Site

# Of nobody (RFC 5737): if it counted, anybody could be whoever they like.
PRETENDED: Final = "203.0.113.77"
words = Words("proxy")


def look(site: Site) -> Iterator[Finding]:
    """Send what a stranger might, and see what of it arrives."""
    if not site.is_trusted():
        yield words.warn("not asked: the certificate does not hold", "Put that right first.")
        return
    asked = {**seen.question(), "X-Forwarded-For": PRETENDED, seen.UNDERSCORED: "1"}
    there = _told(site.ask("/readyz", asked).body)
    if there is None:
        yield words.warn(
            "the portal does not tell what it sees: another installation, or an older release",
            "Ask with the environment of the nodes (PORTAL_SECRET_KEY), within a minute of their clock.",
        )
        return
    found = list(_wrong(site, there))
    yield from found or [words.ok(f"{there['peer']} counts as a proxy; callers as themselves ({there['source']})")]


def _wrong(site: Site, there: dict[str, Any]) -> Iterator[Finding]:
    peer = there["peer"]
    if there["source"] == PRETENDED:
        yield words.wrong(
            "X-Forwarded-For of a stranger counts: whoever calls names any source as theirs",
            "proxy_set_header X-Forwarded-For $remote_addr; and list your proxies alone in PORTAL_TRUSTED_PROXIES.",
        )
    elif not there["is_listed"]:
        yield words.wrong(
            f"{peer} is not listed: all who come through it count as one source",
            f"Add {peer} to PORTAL_TRUSTED_PROXIES, if that is your proxy.",
        )
    elif not there["is_forwarded"]:
        yield words.wrong(
            f"{peer} passes no X-Forwarded-For on: all who come through it count as one source",
            "proxy_set_header X-Forwarded-For $remote_addr;",
        )
    if not there["is_secure"]:
        yield words.wrong(
            "calls count as without TLS, so that bots are refused", "proxy_set_header X-Forwarded-Proto $scheme;"
        )
    if there["host"] != site.netloc:
        yield words.wrong(
            f"the host arrives as {there['host']} instead of {site.netloc}", "proxy_set_header Host $http_host;"
        )
    if there["is_underscored"]:
        yield words.wrong("a header with an underscore in its name comes through", "nginx: underscores_in_headers off;")


def _told(body: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(body).get("seen")
    except (ValueError, AttributeError):
        return None
    return told if isinstance(told, dict) else None
