"""The front door, the history and the signs of life."""

from django.urls import path

from portal.dashboard.views import health, history, home

app_name = "dashboard"

urlpatterns = [
    path("", home.home, name="home"),
    path("history/", history.history, name="history"),
    path("history/export/", history.export_history, name="export_history"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
