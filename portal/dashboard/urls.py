"""The front door and the history. `/healthz` and `/readyz` are answered before any route (views.health)."""

from django.urls import path

from portal.dashboard.views import history, home, read_only

app_name = "dashboard"

urlpatterns = [
    path("", home.home, name="home"),
    path("read-only/", read_only.read_only, name="read_only"),
    path("history/", history.history, name="history"),
    path("history/export/", history.export_history, name="export_history"),
]
