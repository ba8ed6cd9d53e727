"""The pages about Accounts at a real exchange."""

from django.urls import path

from portal.venues.kraken.connection.views import account, changes
from portal.venues.kraken.settle import views as settle
from portal.venues.kraken.watching import views as alarms

app_name = "kraken"

urlpatterns = [
    path("accounts/connect/", changes.connect, name="connect"),
    path("accounts/<int:pk>/", account.account, name="account"),
    path("accounts/<int:pk>/connect/", changes.reconnect, name="reconnect"),
    path("accounts/<int:pk>/disconnect/", changes.disconnect, name="disconnect"),
    path("accounts/<int:pk>/credentials/new/", changes.add_credential, name="add_credential"),
    path(
        "accounts/<int:pk>/credentials/<int:credential>/replace/", changes.replace_credential, name="replace_credential"
    ),
    path("accounts/<int:pk>/credentials/<int:credential>/remove/", changes.remove, name="remove_credential"),
    path("accounts/<int:pk>/credentials/<int:credential>/try-again/", account.try_again, name="try_again"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:pk>/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("unknown-withdrawals/<str:reference>/", settle.unknown_withdrawal, name="unknown_withdrawal"),
    path("unknown-withdrawals/<str:reference>/look/", settle.look_again, name="look_again"),
]
