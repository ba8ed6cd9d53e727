"""Permissions and settings of a bot: what can be, and what gives more power."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.service_users.key_settings import Limits, check, check_name, grown, ordered, parse_allow_list
from portal.core.errors import Invalid

LATER = datetime(2099, 1, 1, tzinfo=UTC)
FROM, UNTIL, DAY = LATER - timedelta(days=9), LATER - timedelta(days=1), timedelta(days=1)
TIGHT = Limits(
    permissions=("query-funds", "withdraw-funds"),
    expires_at=LATER,
    query_start=FROM,
    query_end=UNTIL,
    websocket=False,
    nonce_window=10,
    ip_allow_list=("203.0.113.0/28",),
)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", ()),
        ("\n \n", ()),
        ("203.0.113.7", ("203.0.113.7",)),
        ("203.0.113.7/32", ("203.0.113.7",)),
        (" 203.0.113.0/28 \r\n2001:DB8::0/32\n203.0.113.0/28", ("203.0.113.0/28", "2001:db8::/32")),
        (
            "203.0.113.7, 203.0.113.8;2001:db8::1  198.51.100.0/24",
            ("203.0.113.7", "203.0.113.8", "2001:db8::1", "198.51.100.0/24"),
        ),
    ],
)
def test_addresses_and_ranges_are_read_in_their_shortest_form(text, parsed):
    """K4: IPv4 and IPv6, one on a line, each once."""
    assert parse_allow_list(text) == parsed


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("203.0.113.400", "each part ends at 255"),
        ("203.0.113", "is not an address"),
        ("203.0.113.0/33", "is not a range"),
        ("203.0.113.9/28", "Write 203.0.113.0/28"),
        ("0.0.0.0/0", "every address"),
        ("::/0", "every address"),
        ("::ffff:203.0.113.0/124", "in disguise"),
        ("::ffff:203.0.113.7", "Write 203.0.113.7."),
        ("203.0.113.7 203.0.113.400", "203.0.113.400 is not an address"),
        ("fe80::1%eth0", "is not an address"),
        ("203.0.113.007", "is not an address"),
        ("\uff12\uff10\uff13.0.113.7", "is not an address"),
        ("bot.example.test", "is not an address"),
        ("1" * 60, "is not an address"),
    ],
)
def test_a_wrong_line_is_named(line, why):
    with pytest.raises(Invalid) as refused:
        parse_allow_list(f"203.0.113.1\n\n{line}")
    assert refused.value.field == "ip_allow_list"
    assert refused.value.message.startswith("Line 3: ")
    assert why in refused.value.message


def test_every_wrong_line_is_named():
    with pytest.raises(Invalid) as refused:
        parse_allow_list("x\n203.0.113.1\ny")
    assert [line.split(":")[0] for line in refused.value.message.split("\n")] == ["Line 1", "Line 3"]


def test_a_list_has_an_end():
    assert len(parse_allow_list("\n".join(f"203.0.113.{n}" for n in range(50)))) == 50
    with pytest.raises(Invalid, match="At most 50"):
        parse_allow_list("\n".join(f"203.0.113.{n}" for n in range(51)))


def test_tight_limits_pass():
    check(TIGHT, acknowledged=False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"permissions": ()}, "permissions"),
        ({"permissions": ("everything",)}, "permissions"),
        ({"permissions": ("withdraw-funds", "query-funds")}, "permissions"),
        ({"permissions": ("query-funds", "query-funds")}, "permissions"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"query_end": TIGHT.query_start}, "query_end"),
        ({"nonce_window": -1}, "nonce_window"),
        ({"nonce_window": 2**63}, "nonce_window"),
        ({"ip_allow_list": ("203.0.113.9/28",)}, "ip_allow_list"),
        ({"ip_allow_list": ("203.0.113.9", "203.0.113.9")}, "ip_allow_list"),
        ({"expires_at": None}, "acknowledged"),
        ({"ip_allow_list": ()}, "acknowledged"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(fields, field):
    """AP-8: withdrawing without an end or from anywhere takes an acknowledgement."""
    with pytest.raises(Invalid) as refused:
        check(replace(TIGHT, **fields), acknowledged=False)
    assert refused.value.field == field


@pytest.mark.parametrize("fields", [{"expires_at": None}, {"ip_allow_list": ()}])
def test_an_acknowledgement_is_enough(fields):
    """AP-8: possible, if it is meant."""
    check(replace(TIGHT, **fields), acknowledged=True)


def test_who_cannot_withdraw_needs_none():
    check(replace(TIGHT, permissions=("query-funds",), expires_at=None, ip_allow_list=()), acknowledged=False)


@pytest.mark.parametrize(
    ("field", "wider", "narrower"),
    [
        ("permissions", ("query-funds", "add-funds", "withdraw-funds"), ("query-funds",)),
        ("expires_at", None, timezone.now() + timedelta(days=1)),
        ("expires_at", LATER + timedelta(days=1), LATER - timedelta(days=1)),
        ("query_start", None, FROM + DAY),
        ("query_end", None, UNTIL - DAY),
        ("query_end", LATER, UNTIL - DAY),
        ("websocket", True, False),
        ("nonce_window", 11, 9),
        ("ip_allow_list", (), ("203.0.113.0/28",)),
        ("ip_allow_list", ("203.0.113.0/28", "198.51.100.7"), ("203.0.113.0/28",)),
    ],
)
def test_more_power_is_told_from_less(field, wider, narrower):
    assert grown(TIGHT, replace(TIGHT, **{field: wider})) == {field}
    assert grown(TIGHT, replace(TIGHT, **{field: narrower})) == frozenset()
    assert grown(replace(TIGHT, **{field: wider}), TIGHT) == frozenset()


def test_a_part_of_an_allowed_range_is_no_more_power():
    assert grown(TIGHT, replace(TIGHT, ip_allow_list=("203.0.113.4",))) == frozenset()


def test_a_range_around_an_allowed_one_is():
    assert grown(TIGHT, replace(TIGHT, ip_allow_list=("203.0.113.0/24",))) == {"ip_allow_list"}


@pytest.mark.parametrize("name", ["", "-bot", "a b", "bot/x", "bot\n", "é", "x" * 33, "new", "NEW", "bot.1"])
def test_a_name_is_letters_digits_and_hyphens(name):
    with pytest.raises(Invalid):
        check_name(name)


def test_permissions_are_kept_in_the_order_of_the_protocol():
    assert ordered(["export-data", "query-funds", "export-data"]) == ("query-funds", "export-data")


@pytest.mark.parametrize("text", ["0.0.0.0/1\n128.0.0.0/1", "::/1 8000::/1"])
def test_what_is_everything_together_is_no_list(text):
    with pytest.raises(Invalid, match="Together these are every address there is"):
        parse_allow_list(text)
