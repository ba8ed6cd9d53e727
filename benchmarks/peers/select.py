"""Peer b: a bare view of Django with one indexed SELECT of six balances. It asks nobody who they are."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from benchmarks.peers.balances import SELECT, amounts
from benchmarks.peers.sized import sized


def balance(request: HttpRequest, account: int) -> HttpResponse:
    """The balances of any Account, for anybody."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT, [account])
        return sized(JsonResponse({"error": [], "result": amounts(cursor.fetchall())}))


urlpatterns = [path("balance/<int:account>", balance)]
