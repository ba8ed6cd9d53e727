"""Whether the Python that runs the portal is one without a fault that reaches it."""

import platform

from django.core import checks

from portal.core.web.door.headers import has_slow_cookies

SLOW_COOKIES = (
    "Python {version} reads some cookies in quadratic time (CVE-2024-7592). The portal turns such cookies away "
    "before they are read; Python 3.11.10, 3.12.6 or newer has it mended."
)


@checks.register(checks.Tags.security, deploy=True)
def check_python(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
    """For information: nothing is open, since the door does not rely on it."""
    if not has_slow_cookies():
        return []
    return [checks.Info(SLOW_COOKIES.format(version=platform.python_version()), id="core.I001")]
