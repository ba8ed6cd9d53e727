"""Every app's routes, in one place."""

from django.urls import include, path

urlpatterns = [
    path("", include("portal.dashboard.urls")),
    path("", include("portal.api.urls")),
    path("", include("accounts.urls")),
    path("", include("policies.urls")),
    path("", include("portal.treasury.urls")),
    path("", include("portal.venues.kraken.urls")),
]

handler400 = "portal.dashboard.views.errors.bad_request"
handler403 = "portal.dashboard.views.errors.forbidden"
handler404 = "portal.dashboard.views.errors.not_found"
handler500 = "portal.dashboard.views.errors.server_error"
