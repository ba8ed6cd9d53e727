"""How a request looked when it came in, told to who holds the installation's secret key and to nobody else.

So an operator finds out from outside what the proxies in between do to it (`manage.py doctor --url`).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.core.signing import BadSignature, TimestampSigner

from portal.core.web import proxies

HEADER: Final = "X-Countersign-Doctor"
# What no proxy should let through: WSGI cannot tell it from the same with hyphens.
UNDERSCORED: Final = "X_Countersign_Underscored"
SALT: Final = "portal.dashboard.seen"
HOLDS: Final = timedelta(minutes=1)
WORD: Final = "seen"
LONGEST: Final = 200
HEADER_VARIABLE: Final = "HTTP_X_COUNTERSIGN_DOCTOR"
UNDERSCORED_VARIABLE: Final = "HTTP_X_COUNTERSIGN_UNDERSCORED"


def question() -> dict[str, str]:
    """The header that asks; it holds for a minute."""
    return {HEADER: TimestampSigner(salt=SALT).sign(WORD)}


def told(meta: Mapping[str, Any]) -> dict[str, str | bool] | None:
    """What was seen of the request with these variables of WSGI; None unless it asks with the right signature."""
    asked = str(meta.get(HEADER_VARIABLE, ""))
    if not asked or len(asked) > LONGEST or not _is_ours(asked):
        return None
    peer, forwarded = str(meta.get("REMOTE_ADDR", "")), str(meta.get("HTTP_X_FORWARDED_FOR", ""))
    scheme, proto = str(meta.get("wsgi.url_scheme", "")), str(meta.get("HTTP_X_FORWARDED_PROTO", ""))
    return {
        "peer": peer,
        "source": proxies.source_address(peer, forwarded),
        "is_listed": proxies.is_listed(peer),
        "is_forwarded": bool(forwarded),
        "is_secure": proxies.is_secure(scheme, peer, proto),
        "host": str(meta.get("HTTP_HOST", "")),
        "is_underscored": UNDERSCORED_VARIABLE in meta,
    }


def _is_ours(asked: str) -> bool:
    try:
        return TimestampSigner(salt=SALT).unsign(asked, max_age=HOLDS) == WORD
    except BadSignature:
        return False
