"""The one page of the bots' API. What is under `/0/` never comes this far: see `middleware` and `methods`."""

from django.urls import path

from portal.api import description

app_name = "api"

urlpatterns = [path("openapi.json", description.openapi, name="openapi")]
