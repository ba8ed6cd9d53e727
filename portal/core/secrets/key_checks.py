"""Whether the keys that seal secrets are keys of this installation's own (security SE-1, SC-3)."""

import json

from django.conf import settings
from django.core import checks

from portal.core.secrets.sealing import parse_sealing_keys, weak_keys


def wrong_keys() -> list[str]:
    """What is wrong with PORTAL_SEALING_KEYS, in sentences. Raises: ImproperlyConfigured if they cannot be read."""
    given = parse_sealing_keys(settings.SEALING_KEYS)
    weak = weak_keys(settings.SEALING_KEYS)
    wrong = [f"PORTAL_SEALING_KEYS: {name!r} was not drawn at random. Make another one." for name in weak]
    if not settings.DEBUG and set(given.values()) & _tried_out():
        wrong.append("PORTAL_SEALING_KEYS holds the key with which this checkout was tried out. Make another one.")
    if any(key in settings.SECRET_KEY.encode() for key in given.values()):
        wrong.append("PORTAL_SEALING_KEYS holds a part of PORTAL_SECRET_KEY. Make another one.")
    return wrong


@checks.register(checks.Tags.security)
def check_sealing_keys(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
    """An error for each key that is none of this installation's own; Django does not start then."""
    return [checks.Error(wrong, id="core.E003") for wrong in wrong_keys()]


def _tried_out() -> set[bytes]:
    """The keys that `PORTAL_DEBUG` makes for itself and keeps in a file."""
    try:
        kept = json.loads((settings.VAR / "keys.json").read_text())
    except (OSError, ValueError):
        return set()
    return set(parse_sealing_keys(kept["sealing_keys"]).values()) if "sealing_keys" in kept else set()
