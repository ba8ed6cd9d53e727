"""Cookies as an installation in public sets them, and headers that a browser can be made to forge."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse

pytestmark = pytest.mark.django_db
NAMES = [
    f"{cookie}_COOKIE_{part}"
    for cookie in ("SESSION", "CSRF")
    for part in ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "PATH", "DOMAIN")
]
PUBLIC = {
    "PORTAL_SECRET_KEY": "k" * 64,
    "PORTAL_SEALING_KEYS": "k1:" + "A" * 43,
    "PORTAL_BASE_URL": "https://portal.example.test",
    "PORTAL_ALLOWED_HOSTS": "portal.example.test",
    "PORTAL_MAIL_FROM": "portal@portal.example.test",
    "EMAIL_URL": "smtp+tls://mail.example.test:587",
    "DATABASE_URL": "postgres://portal@database.example.test/portal",
}
PRINT = f"""
import json
from portal import settings
from django.conf import global_settings
print(json.dumps({{n: getattr(settings, n, getattr(global_settings, n)) for n in {NAMES!r}}}))
"""


@pytest.fixture(scope="module")
def in_public():
    """The cookie settings that the production environment leads to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    answer = subprocess.run(
        [sys.executable, "-c", PRINT], env={**kept, **PUBLIC}, cwd=settings.BASE_DIR, check=True, capture_output=True
    )
    return json.loads(answer.stdout)


def test_cookies_are_bound_to_the_host_and_closed_to_scripts(client, owner, sign_in_by_code, in_public):
    """WB-4: `__Host-` names, Secure, Path=/, HttpOnly, SameSite; read from Set-Cookie."""
    with override_settings(**in_public):
        sign_in_by_code(client, owner)
        client.get(reverse("policies:inbox"), secure=True)
        cookies = {name: cookie for name, cookie in client.cookies.items() if name.startswith("__Host-")}
    assert set(cookies) == {in_public["SESSION_COOKIE_NAME"], in_public["CSRF_COOKIE_NAME"]}
    assert all(name.startswith("__Host-") for name in cookies)
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""
        assert cookie["samesite"] in ("Lax", "Strict")


def test_where_the_browser_says_it_comes_from_leads_nowhere(client):
    """WB-9: HX-Current-URL and Referer are never trusted; a forged one changes no redirect."""
    forged = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/inbox/", "Referer": "https://evil.example/"}
    answer = client.get(reverse("policies:inbox_count"), headers=forged)
    assert answer.headers["HX-Redirect"] == reverse("accounts:sign_in")
    for path in (reverse("policies:inbox"), reverse("accounts:sign_in")):
        assert "evil.example" not in str(client.get(path, headers=forged).headers)


def test_a_session_opens_no_stream(client, owner, sign_in):
    """WB-11: session cookie and Origin give no right at `/v2`; cookie only: refused, as a stranger is."""
    sign_in(client, owner)
    assert client.get("/inbox/").status_code == 200
    asked = {"Origin": "http://testserver", "Connection": "Upgrade", "Upgrade": "websocket"}
    for verb in ("get", "post"):
        mine, strangers = (getattr(visitor, verb)("/v2", headers=asked) for visitor in (client, Client()))
        assert mine.status_code == strangers.status_code in (403, 404, 405, 426)
        assert owner.label not in mine.content.decode()
