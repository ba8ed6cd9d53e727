"""`/metrics`: who is answered, and who learns nothing, not even that it is there."""

import hmac

import pytest
from django.core import checks

from portal.operating.metrics.view import measures

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-thirty-two-characters"


@pytest.fixture(autouse=True)
def _nobody(settings, tmp_path):
    settings.METRICS_TOKEN, settings.METRICS_FROM, settings.METRICS_DIR = "", [], tmp_path / "metrics"
    settings.TRUSTED_PROXIES = ["127.0.0.1"]


def shown(token):
    return {"authorization": f"Bearer {token}"}


def test_without_a_token_or_a_list_there_is_nothing_for_anybody(client, django_assert_num_queries):
    """It stands in the line of the probes, so a stranger who asks costs them no time: no page, and no database."""
    with django_assert_num_queries(0):
        for verb in (client.get, client.post):
            answer = verb("/metrics", headers=shown(""))
            assert (answer.status_code, answer.content) == (404, b"Not found\n")


def test_whoever_shows_the_token_is_told(client, settings):
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers=shown(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"\ncountersign_ready 1.0\n" in answer.content
    assert b"\ncountersign_database_up 1.0\n" in answer.content
    assert not answer.cookies


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"bearer {TOKEN}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer é",
    ],
)
def test_another_token_is_told_nothing(client, settings, header):
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"authorization": header} if header else {})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_tokens_are_compared_in_constant_time(client, settings, monkeypatch):
    """The comparison is the one of the standard library that says nothing by how long it takes."""
    seen = []

    def compared(given, right):
        seen.append((given, right))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compared)
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers=shown("wrong")).status_code == 401
    assert seen == [(b"wrong", TOKEN.encode())]


def test_an_address_of_the_list_is_told_and_another_learns_of_nothing(client, settings):
    """Security WB-10: seen through listed proxies alone, as everywhere."""
    settings.METRICS_FROM = ["10.9.0.0/16", "2001:db8::/48"]
    assert client.get("/metrics", REMOTE_ADDR="10.9.1.2").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="2001:db8::7").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": "10.9.1.2"}).status_code == 200
    # The neighbour is no listed proxy: what it says of others counts for nothing.
    for forged in ({"REMOTE_ADDR": "10.8.0.1", "headers": {"x-forwarded-for": "10.9.1.2"}}, {"REMOTE_ADDR": ""}):
        assert client.get("/metrics", **forged).status_code == 404
    # Only an address of the list is told that another verb would not serve.
    assert client.post("/metrics", REMOTE_ADDR="10.9.1.2").status_code == 405
    assert client.post("/metrics", REMOTE_ADDR="10.8.0.1").status_code == 404


def test_where_both_are_set_both_are_asked(client, settings):
    settings.METRICS_TOKEN, settings.METRICS_FROM = TOKEN, ["10.9.0.0/16"]
    assert client.get("/metrics", headers=shown(TOKEN), REMOTE_ADDR="10.8.0.1").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="10.9.0.1").status_code == 401
    assert client.get("/metrics", headers=shown(TOKEN), REMOTE_ADDR="10.9.0.1").status_code == 200


def test_a_server_answers_it_in_front_of_django(settings):
    settings.METRICS_FROM = ["10.9.0.0/16"]
    said: list[str] = []

    def start(status, _headers, _exc_info=None, /):
        said.append(status)
        return lambda _: None

    def ask(path, verb="GET", peer="10.9.0.1"):
        meta = {"PATH_INFO": path, "REQUEST_METHOD": verb, "REMOTE_ADDR": peer}
        body = b"".join(measures(lambda *_: [b"django"])(meta, start))
        return (said.pop() if said else ""), body

    assert ask("/metrics/") == ("", b"django")
    assert ask("/") == ("", b"django")
    status, body = ask("/metrics")
    assert status == "200 OK"
    assert body.startswith(b"# HELP countersign_")
    assert ask("/metrics", "HEAD") == ("200 OK", b"")
    assert ask("/metrics", peer="10.8.0.1") == ("404 Not Found", b"Not found\n")


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("METRICS_TOKEN", "short", "operating.E001"),
        ("METRICS_TOKEN", "a token with blanks between its words", "operating.E001"),
        ("METRICS_FROM", ["10.9.0.1/16"], "operating.E002"),
        ("METRICS_FROM", ["prometheus.example.test"], "operating.E002"),
    ],
)
def test_settings_that_would_not_serve_are_refused_at_the_start(settings, name, value, number):
    def wrong():
        found = [each.id or "" for each in checks.run_checks(tags=[checks.Tags.security])]
        return [each for each in found if each.startswith("operating")]

    settings.METRICS_TOKEN, settings.METRICS_FROM = TOKEN, ["10.9.0.0/16", "::1"]
    assert wrong() == []
    setattr(settings, name, value)
    assert wrong() == [number]
