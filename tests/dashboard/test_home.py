"""The front door and the signs of life."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.urls import reverse


def test_a_stranger_is_led_to_the_sign_in(client, db):
    assert client.get("/").url == reverse("accounts:sign_in")


def test_a_member_is_led_to_the_inbox(client, ana, sign_in):
    sign_in(client, ana)
    assert client.get("/").url == reverse("policies:inbox")


def test_being_alive_asks_no_database(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert response.content == b"ok"


def test_being_ready_means_a_database_with_every_migration(client, db):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "database": True,
        "migrations": True,
        "flood_limit": "process",
        "degraded": False,
    }


def test_a_missing_migration_is_said(client, db):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'audit'"
            " AND name = (SELECT MAX(name) FROM django_migrations WHERE app = 'audit')"
        )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json().items() >= {"ready": False, "database": True, "migrations": False}.items()


def test_a_lost_database_is_said(client, db, monkeypatch):
    def lost():
        raise DatabaseError("gone")

    with monkeypatch.context() as away:
        away.setattr(connection, "ensure_connection", lost)
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] is False


def test_only_safe_verbs_are_answered(client, db):
    """WB-12: unlisted methods 405."""
    for path in ("/", "/healthz", "/readyz"):
        for verb in ("post", "put", "delete", "options"):
            assert getattr(client, verb)(path).status_code == 405


def test_trace_is_405_and_there_is_no_admin(client, owner, sign_in):
    """WB-12: DEBUG off, no Django admin, no browsable API, TRACE 405."""
    assert settings.DEBUG is False
    assert not {"django.contrib.admin", "rest_framework"} & set(settings.INSTALLED_APPS)
    sign_in(client, owner)
    for path in ("/admin/", "/api/", "/0/"):
        answer = client.get(path)
        assert answer.status_code == 404 or b'"error"' in answer.content, path
    for path in ("/", "/inbox/", "/members/", "/sign-in/"):
        assert client.trace(path).status_code == 405, path
