"""The WSGI application of the peer that BENCHMARK_PEER names."""

import os
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.settings")

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

application: "WSGIApplication" = get_wsgi_application()
if os.environ["BENCHMARK_PEER"] == "in_front":
    from benchmarks.peers.in_front import in_front_of, to_database

    application = in_front_of(application, to_database)
