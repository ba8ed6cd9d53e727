"""Settings of measures that would leave them open, or shut for everybody, are said before anything is served."""

from typing import Final

from django.conf import settings
from django.core import checks

from portal.operating.metrics.access import networks

SHORTEST: Final = 24


@checks.register(checks.Tags.security)
def check_settings(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
    """An error for a token that could be guessed, or an address that is none."""
    found: list[checks.CheckMessage] = []
    token = settings.METRICS_TOKEN
    if token and (len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token):
        found.append(
            checks.Error(
                f"PORTAL_METRICS_TOKEN needs {SHORTEST} letters and digits at least: openssl rand -hex 24 draws one.",
                id="operating.E001",
            )
        )
    try:
        networks(tuple(settings.METRICS_FROM))
    except ValueError as error:
        found.append(checks.Error(f"PORTAL_METRICS_FROM: {error}", id="operating.E002"))
    return found
