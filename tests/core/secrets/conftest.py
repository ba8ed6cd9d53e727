"""Sealing keys, drawn and exchanged."""

from base64 import urlsafe_b64encode
from io import StringIO
from secrets import token_bytes

import pytest
from django.core.management import call_command

from portal.core.secrets import sealing


def drawn() -> str:
    return urlsafe_b64encode(token_bytes(32)).rstrip(b"=").decode()


@pytest.fixture
def with_keys(settings):
    """Run under other sealing keys, as after a restart."""
    before = settings.SEALING_KEYS

    def use(text: str) -> None:
        settings.SEALING_KEYS = text
        sealing._keys.cache_clear()
        sealing.derived_key.cache_clear()

    yield use
    use(before)


def run(**options) -> str:
    out = StringIO()
    call_command("rotatesealingkeys", stdout=out, **options)
    return out.getvalue()
