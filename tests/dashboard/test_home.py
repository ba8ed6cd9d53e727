"""The front door and the signs of life."""

from django.conf import settings
from django.urls import reverse


def test_a_stranger_is_led_to_the_sign_in(client, db):
    assert client.get("/").url == reverse("accounts:sign_in")


def test_a_member_is_led_to_the_inbox(client, ana, sign_in):
    sign_in(client, ana)
    assert client.get("/").url == reverse("policies:inbox")


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
