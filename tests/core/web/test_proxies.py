"""Where a request comes from."""

from ipaddress import ip_address

import pytest
from django.http import HttpResponse

from portal.core import call_origin
from portal.core.web import proxies as origin
from portal.core.web.proxies import OriginMiddleware, is_secure, network, source_address

FORGED = {
    "HTTP_X_FORWARDED_FOR": "198.51.100.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.test",
    "HTTP_FORWARDED": "for=198.51.100.9;proto=https;host=evil.test",
    "HTTP_X_REAL_IP": "198.51.100.9",
}


@pytest.fixture
def proxies(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "2001:db8::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.9", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "192.0.2.1, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "192.0.2.1, 198.51.100.9, 10.9.9.9", "198.51.100.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("2001:db8::1", "::ffff:198.51.100.9", "198.51.100.9"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("10.0.0.1", "198.51.100.9:4711", "198.51.100.9"),
        ("10.0.0.1", '"198.51.100.9:4711"', "198.51.100.9"),
        ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.1", '"[2001:db8::7]:4711"', "2001:db8::7"),
        ("10.0.0.1", "[::ffff:198.51.100.9]:80", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9, [2001:db8::1]:443", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9:99999999", "10.0.0.1"),
        ("10.0.0.1", "[198.51.100.9", "10.0.0.1"),
        ("", "198.51.100.9", ""),
    ],
)
def test_only_a_listed_proxy_says_who_called(proxies, peer, forwarded, source):
    """WB-10: the peer address, or the right-most hop added by a listed proxy."""
    assert source_address(peer, forwarded) == source


def test_what_is_remembered_of_a_peer_ends_with_the_list_of_proxies(settings):
    """WB-10: an address is parsed once, and believed only as long as the setting that was in force then."""
    for listed, source in ([], "10.0.0.1"), (["10.0.0.1"], "198.51.100.9"), ([], "10.0.0.1"):
        settings.TRUSTED_PROXIES = listed
        for _ in range(2):
            assert source_address("10.0.0.1", "198.51.100.9") == source
            assert is_secure("http", "10.0.0.1", "https") is bool(listed)


def test_an_unlisted_neighbour_is_noted_each_time(settings, monkeypatch):
    settings.TRUSTED_PROXIES = []
    for _ in range(2):
        monkeypatch.setattr(origin, "_unlisted", {})
        source_address("10.0.0.77", "198.51.100.9")
        assert origin.unlisted_proxy_seen()


def test_a_long_header_is_not_remembered(proxies):
    before = origin._looked.cache_info().currsize
    source_address("10.0.0.1", ", ".join(["198.51.100.9"] * 9))
    assert origin._looked.cache_info().currsize == before


def test_a_long_header_costs_no_more_than_a_short_one(proxies, monkeypatch):
    """WB-10: it is read before its length is checked, so what a stranger wrote into it must not be work."""
    looked_at = []

    def counted(text):
        looked_at.append(text)
        return ip_address(text)

    monkeypatch.setattr(origin, "ip_address", counted)
    assert source_address("10.0.0.1", ",".join(["10.0.0.2"] * 5000)) == "10.0.0.2"
    assert source_address("10.0.0.1", "1" * 16000) == "10.0.0.1"
    assert source_address("10.0.0.1", f"{'10.0.0.2,' * 5000} 198.51.100.9") == "198.51.100.9"
    assert len(looked_at) < 40
    assert max(map(len, looked_at)) < 100


def test_nobody_is_believed_from_this_machine_unless_listed(settings, rf):
    """WB-10: forged `X-Forwarded-For`/`-Proto`/`-Host`, `Forwarded`, `X-Real-IP` from peer 127.0.0.1."""
    settings.TRUSTED_PROXIES = []
    request = rf.get("/", REMOTE_ADDR="127.0.0.1", **FORGED)
    seen = passed(request)
    assert seen.source == "127.0.0.1"
    assert not request.is_secure()
    assert request.get_host() == "testserver"


@pytest.mark.parametrize(
    ("scheme", "peer", "proto", "secure"),
    [
        ("https", "203.0.113.7", "", True),
        ("http", "203.0.113.7", "https", False),
        ("http", "10.0.0.1", "https", True),
        ("http", "10.0.0.1", "https, http", False),
        ("http", "10.0.0.1", "http", False),
        ("http", "", "https", False),
    ],
)
def test_only_a_listed_proxy_says_that_the_caller_speaks_tls(proxies, scheme, peer, proto, secure):
    assert is_secure(scheme, peer, proto) is secure


def test_django_learns_the_true_scheme_and_nothing_more(proxies, rf):
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_HOST="testserver", **FORGED)
    assert passed(request).source == "198.51.100.9"
    assert request.is_secure()
    assert request.get_host() == "testserver"


def test_the_origin_names_the_session_without_giving_it_away(rf, settings):
    request = rf.get("/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "secretsecretsecret"
    seen = passed(request)
    assert seen.via.startswith("session ")
    assert "secret" not in seen.via
    assert seen.request_id == request.request_id != ""
    assert call_origin.current().source == ""


def passed(request):
    seen = []

    def view(_request):
        seen.append(call_origin.current())
        return HttpResponse()

    OriginMiddleware(view)(request)
    return seen[0]


@pytest.mark.parametrize(
    ("source", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not: an address", "not: an address"),
        ("", ""),
    ],
)
def test_who_owns_a_whole_network_counts_as_one(source, counted_as):
    """AP-7: of IPv6 the /64, all of which one machine may use."""
    assert network(source) == counted_as
