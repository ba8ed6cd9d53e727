"""The pages about Accounts at a real exchange."""

from django.urls import path

from portal.venues.kraken.alarms import views as alarms

app_name = "kraken"

urlpatterns = [
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:pk>/acknowledge/", alarms.acknowledge, name="acknowledge"),
]
