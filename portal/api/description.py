"""The description of the bots' API, for whoever connects."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from portal.api.openapi import document


@login_not_required
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Made from the tables that answer the calls, so it cannot say anything else than they do."""
    return JsonResponse(document())
