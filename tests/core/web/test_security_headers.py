"""The headers on every response."""

from contextlib import closing

import pytest
from django.urls import reverse

from portal.core.web.security_headers import SECURITY_HEADERS, security_headers
from tests.routes import routes

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
PLAIN = [route.name for route in routes() if not route.parameters]
YEAR = 365 * 24 * 3600


def is_closed(response):
    return response["Content-Security-Policy"] == POLICY and all(
        response[name] == value for name, value in SECURITY_HEADERS.items() if name != "Referrer-Policy"
    )


def test_the_table_of_headers():
    """WB-5: header table."""
    headers = security_headers(YEAR)
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["Strict-Transport-Security"].startswith(f"max-age={YEAR}; includeSubDomains")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in security_headers(0)


@pytest.mark.parametrize("name", PLAIN)
def test_every_route_answers_a_stranger_with_them(client, db, name):
    """WB-1, WB-5: over all routes."""
    response = client.get(reverse(name))
    assert is_closed(response)
    assert "no-store" in response["Cache-Control"]


def test_every_page_of_a_member_is_kept_out_of_caches(client, ana, sign_in):
    """WB-6: all signed-in pages `Cache-Control: no-store`."""
    sign_in(client, ana)
    for name in PLAIN:
        response = client.get(reverse(name))
        assert is_closed(response), name
        assert "no-store" in response["Cache-Control"], name


@pytest.mark.parametrize("path", ["/static/css/base.css", "/static/js/csrf.js", "/nowhere/", "/static/nowhere.css"])
def test_files_and_missing_pages_have_them_too(client, db, path):
    """WB-5: static, 404."""
    with closing(client.get(path)) as response:
        assert is_closed(response)


def test_a_file_may_be_cached(client, db):
    with closing(client.get("/static/css/base.css")) as response:
        assert "no-store" not in response["Cache-Control"]


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_broken_page_has_them_too(client, db):
    """WB-5: 500."""
    client.raise_request_exception = False
    response = client.get("/broken/")
    assert response.status_code == 500
    assert is_closed(response)
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "localhost@evil.test", "testserver:80@evil.test"])
def test_a_foreign_host_is_refused(client, db, host):
    """WB-8: evil Host 400."""
    response = client.get("/sign-in/", headers={"host": host})
    assert response.status_code == 400
    assert is_closed(response)
    assert "evil.test" not in response.content.decode()


def test_what_a_proxy_says_about_the_host_is_not_asked(client, db):
    """WB-8: `USE_X_FORWARDED_HOST=False`."""
    response = client.get("/sign-in/", headers={"x-forwarded-host": "evil.test"})
    assert response.status_code == 200
