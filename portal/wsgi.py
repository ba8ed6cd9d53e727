"""The WSGI application: the bots' API in front, Django behind it.

It is what `portal.asgi` serves. A WSGI server of its own cannot cut off a slow body, nor tell `X_Forwarded_For` from
`X-Forwarded-For`: behind one, a proxy has to do both.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django_application = get_wsgi_application()

from portal.api.middleware import bot_api  # noqa: E402  (needs the loaded apps)
from portal.core.canary import refuse_wrong_keys  # noqa: E402
from portal.core.door.headers import bounded  # noqa: E402
from portal.core.nameless import nameless  # noqa: E402
from portal.dashboard.views.health import probes  # noqa: E402

# A server with a wrong key would seal what no other could open.
refuse_wrong_keys()
connection.close()

application = nameless(probes(bot_api(bounded(django_application))))
