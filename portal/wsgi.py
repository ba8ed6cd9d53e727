"""The WSGI application: the bots' API in front, Django behind it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django_application = get_wsgi_application()

from portal.api.middleware import bot_api  # noqa: E402  (needs the loaded apps)
from portal.core.nameless import nameless  # noqa: E402

application = nameless(bot_api(django_application))
