"""Peer c: a bare view of Django with one UPDATE … RETURNING, which commits by itself. It asks nobody who they are."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from benchmarks.peers.sized import sized

COUNT = "UPDATE peers_key SET calls = calls + 1 WHERE id = %s RETURNING calls"


def count(request: HttpRequest, key: int) -> HttpResponse:
    """How often this key was counted by now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [key])
        return sized(JsonResponse({"error": [], "result": {"calls": cursor.fetchone()[0]}}))


urlpatterns = [path("count/<int:key>", count)]
