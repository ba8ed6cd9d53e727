"""The portal through its proxy: a real one, behind a proxy that has one fault after the other."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.signing import TimestampSigner
from django.test import RequestFactory

from portal.dashboard import seen
from portal.operating.doctor import rounds
from portal.operating.doctor.findings import Level
from portal.operating.doctor.looks import outside
from portal.operating.doctor.outside import answers, asking, certificate, headers, site
from tests import running
from tests.operating.doctor.said import bad, only
from tests.operating.doctor.servers.authority import Authority
from tests.operating.doctor.servers.fronts import HSTS, Faults, in_front_of
from tests.ports import lasting

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[running.Running]:
    data = tmp_path_factory.mktemp("portal")
    known = {"PORTAL_TRUSTED_PROXIES": "127.0.0.1", "PORTAL_BASE_URL": "https://localhost"}
    with running.running(data, settings=known) as portal:
        yield portal


@pytest.fixture
def at(portal, authority, settings):
    """The site behind a proxy with these faults; the doctor has the settings of the portal."""
    settings.SECRET_KEY = json.loads((Path(portal.environment["PORTAL_VAR"]) / "keys.json").read_text())["secret_key"]

    @contextmanager
    def given(faults: Faults | None = None, *, name: str = "localhost", days: int = 90, trusted: bool = True):
        plain = Faults(redirects="/")
        faults = faults or Faults()
        with (
            in_front_of(portal.port, authority.certificate(name, days=days), faults) as port,
            in_front_of(portal.port, None, plain) as other,
        ):
            trust = str(authority.trusted) if trusted else ""
            yield site.at(f"https://localhost:{port}", authority=trust, plain_port=other)

    return given


def wrong(found):
    return only(line for line in found if line.level is Level.WRONG)


def test_all_is_well_but_for_what_was_just_begun(at):
    """Nobody works there, and bots are sent on at the other port; all else is as it should be."""
    with at() as there:
        found = rounds.taken(outside(there))
    assert {line.subject for line in found} == set(asking.LOOKS)
    assert {line.subject for line in bad(found)} == {"ready", "plain http"}
    assert not [line for line in found if line.level is Level.WRONG]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(keeps_stranger=True), "of a stranger counts"),
        (Faults(forwards_for=""), "passes no X-Forwarded-For"),
        (Faults(says_scheme=False), "without TLS"),
        (Faults(keeps_host=False), "the host arrives as localhost instead of localhost:"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_proxy_does_to_headers(at, faults, words):
    with at(faults) as there:
        found = wrong(headers.look(there))
    assert words in found.found
    assert found.do


def test_a_header_with_an_underscore_never_arrives(at):
    """The portal drops it itself, whatever the proxy does."""
    with at(Faults(keeps_underscores=True)) as there:
        assert only(headers.look(there)).level is Level.OK


def test_who_has_another_secret_is_told_nothing(at, settings):
    with at() as there:
        settings.SECRET_KEY = "another" * 10
        assert only(headers.look(there)).level is Level.WARN


def test_nothing_is_proved_to_who_is_not_trusted(at):
    faults = Faults()
    with at(faults, trusted=False) as there:
        assert only(headers.look(there)).level is Level.WARN
    assert faults.asked == []


@pytest.mark.parametrize(
    ("given", "words"),
    [({"name": "other.test"}, "mismatch"), ({"days": -2}, "expired"), ({"trusted": False}, "local issuer")],
)
def test_a_certificate_that_does_not_hold(at, given, words):
    with at(**given) as there:
        found = only(certificate.look(there))
    assert (found.level, words in found.found.lower()) == (Level.WRONG, True), found


def test_one_that_holds_not_for_long_and_no_http_2(at):
    with at(Faults(protocols=("http/1.1",)), days=10) as there:
        ending, protocol = bad(certificate.look(there))
    assert (ending.level, "9 more days" in ending.found) == (Level.WARN, True)
    assert (protocol.level, "HTTP/2 is not offered" in protocol.found) == (Level.WARN, True)


def test_pages_without_hsts(at):
    with at(Faults(adds=())) as there:
        assert "Strict-Transport-Security is not sent" in wrong(answers.look_at_pages(there)).found
    with at(Faults(adds=("Strict-Transport-Security: max-age=60",))) as there:
        assert "max-age=60" in wrong(answers.look_at_pages(there)).found
    with at(Faults(adds=(HSTS,))) as there:
        assert bad(answers.look_at_pages(there)) == []


def test_bots_that_are_redirected_and_a_clock_that_is_wrong(at, monkeypatch):
    with at(Faults(redirects="/0/")) as there:
        assert "is redirected" in wrong(answers.look_at_bots(there)).found
    real = time.time
    with at() as there:
        assert bad(answers.look_at_bots(there)) == []
        monkeypatch.setattr("time.time", lambda: real() - 300)
        assert "ahead" in wrong(answers.look_at_bots(there)).found


def test_sockets_that_are_not_passed_on(at):
    with at(Faults(upgrades=False)) as there:
        assert "instead of becoming a WebSocket" in wrong(answers.look_at_sockets(there)).found
    with at() as there:
        assert bad(answers.look_at_sockets(there)) == []


def test_plain_http(portal, at, authority):
    with at() as there:
        found = bad(answers.look_at_plain(there))
        assert only(found).level is Level.WARN
        nobody = site.Site(there.url, there.authority, lasting())
        assert only(answers.look_at_plain(nobody)).level is Level.OK
        # It serves there what it serves with TLS.
        open_ = site.Site(there.url, there.authority, portal.port)
        assert Level.WRONG in {line.level for line in answers.look_at_plain(open_)}


def test_where_nothing_answers_each_look_says_so():
    there = site.at(f"https://localhost:{lasting()}", plain_port=lasting())
    found = rounds.taken(outside(there))
    levels = {line.subject: line.level for line in found}
    assert levels.pop("plain http") is Level.OK
    assert levels.pop("proxy") is Level.WARN
    assert set(levels.values()) == {Level.WRONG}


def meta(**more):
    return {**RequestFactory().get("/readyz").META, **more}


def test_what_was_seen_is_told_to_who_signs_and_for_a_minute(settings, monkeypatch):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    asked = {"HTTP_X_COUNTERSIGN_DOCTOR": seen.question()[seen.HEADER]}
    told = seen.told(meta(**asked, HTTP_X_FORWARDED_FOR="198.51.100.9", HTTP_X_COUNTERSIGN_UNDERSCORED="1"))
    assert told is not None
    assert (told["source"], told["is_listed"], told["is_underscored"]) == ("198.51.100.9", True, True)
    assert seen.told(meta()) is None
    assert seen.told(meta(HTTP_X_COUNTERSIGN_DOCTOR="seen:x:y")) is None
    assert seen.told(meta(HTTP_X_COUNTERSIGN_DOCTOR="x" * 500)) is None
    other = TimestampSigner(salt="another").sign("seen")
    assert seen.told(meta(HTTP_X_COUNTERSIGN_DOCTOR=other)) is None
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000)
    assert seen.told(meta(**asked)) is None


@pytest.mark.django_db
def test_strangers_read_nothing_new_from_readyz(client):
    assert "seen" not in client.get("/readyz").json()
    assert "seen" not in client.get("/readyz", headers={seen.HEADER: "seen:a:b"}).json()
    assert client.get("/readyz", headers=seen.question()).json()["seen"]["peer"] == "127.0.0.1"
