"""What answers, from the door inwards: headers in bounds, the bots' API, the signs of life, and Django behind them."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django_application = get_wsgi_application()

from portal.api.middleware import bot_api  # noqa: E402  (needs the loaded apps)
from portal.core.web.door.headers import bounded  # noqa: E402
from portal.core.web.server_header import nameless  # noqa: E402
from portal.dashboard.views.health import probes  # noqa: E402

application = nameless(bot_api(bounded(probes(django_application))))
