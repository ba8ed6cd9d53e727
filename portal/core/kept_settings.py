"""The settings that each call of a bot asks for: Django's own way to one costs more than what is done with it.

Nobody changes a setting while a portal runs. Whoever overrides one says so by `setting_changed`, as tests do.
"""

from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed


class KeptSettings:
    """Each setting under its name, asked for once; a list is a tuple here, so that it can be part of a key."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the setting is
        """Ask for a setting that is not kept yet."""
        value = getattr(settings, name)
        value = tuple(value) if isinstance(value, list) else value
        self.__dict__[name] = value
        return value


kept: Final = KeptSettings()


def _forget(*, setting: str, **_: object) -> None:
    kept.__dict__.pop(setting, None)


setting_changed.connect(_forget, dispatch_uid="kept settings")
