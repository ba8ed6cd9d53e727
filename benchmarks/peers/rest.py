"""Peer d: Django REST framework with djangorestframework-api-key. No signature and no nonce, so it does less."""

from django.urls import path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_api_key.permissions import HasAPIKey

from benchmarks.peers.balances import amounts
from benchmarks.peers.models import Balance


def balance(request: Request, account: int) -> Response:
    """The balances of any Account, for whoever holds a key."""
    rows = Balance.objects.filter(account=account)
    free = ((row.asset, row.units - row.held_by_withdrawals_units) for row in rows)
    return Response({"error": [], "result": amounts(free)})


urlpatterns = [path("balance/<int:account>", api_view(["GET"])(permission_classes([HasAPIKey])(balance)))]
