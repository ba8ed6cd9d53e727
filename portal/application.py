"""What answers, from the door inwards: headers in bounds, the bots' API, the signs of life, and Django behind them."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from portal.loading import load_all, loading
from portal.starting import log_what_nobody_caught, refusing_in_a_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

with loading(), refusing_in_a_line():
    django_application = get_wsgi_application()
    load_all()
if not settings.DEBUG:
    log_what_nobody_caught()

from portal.api.middleware import bot_api
from portal.core.observing import spans
from portal.core.web.door.headers import bounded
from portal.core.web.measured import measured
from portal.core.web.server_header import nameless
from portal.dashboard.views.health import probes
from portal.operating.metrics.view import measures

application = nameless(bot_api(bounded(probes(measures(measured(django_application))))))
if spans.are_taken():
    from portal.operating.traces.requests import traced

    application = traced(application)
