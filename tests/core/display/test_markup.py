"""The set pieces of the look."""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import html, timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from portal.core import actors
from portal.core.display import escaping, markup

NOW = datetime(2026, 11, 22, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "whole", "fraction"),
    [
        (Decimal("1.25"), "1", ".25"),
        (Decimal("48200.00"), "48,200", ".00"),
        (Decimal("1E+3"), "1,000", ""),
        ("0.40125", "0", ".40125"),
        (Decimal("12345678901234567890.123456789012345678"), "12,345,678,901,234,567,890", ".123456789012345678"),
    ],
)
def test_an_amount_keeps_every_digit_it_was_given(value, whole, fraction):
    shown = markup.amount(value, "BTC")
    assert f'<span aria-hidden="true">{whole}</span><span aria-hidden="true">{fraction}</span>' in shown
    assert shown.count("BTC") == 2


def test_an_address_is_whole_and_a_copy_of_it_has_no_spaces():
    shown = markup.address("bc1q7v0xk3")
    assert shown.endswith("<span>bc1q</span><span>7v0x</span><span>k3</span></span>")


def test_a_digest_stands_out_by_its_first_twelve_digits():
    assert "<b>07d0 8d15 a070</b> 686e" in markup.digest("07d08d15a070686e")
    assert markup.digest("07d08d15a070686e", short=True).endswith("<b>07d0 8d15 a070</b></span>")


def test_a_bot_is_square_and_says_so_to_those_who_listen():
    assert "actor--bot" in markup.actor(actors.SERVICE_USER, "treasury-bot")
    assert "(service user)" in markup.actor(actors.SERVICE_USER, "treasury-bot")
    assert "(you)" in markup.actor(actors.MEMBER, "Ana Ruiz", you=True)
    assert ">AR<" in markup.actor(actors.MEMBER, "Ana Maria Ruiz")


def test_every_approval_has_a_stroke_and_the_words_follow():
    shown = markup.quorum(1, 3, yours=True)
    assert shown.count("<path") == 3
    assert shown.count('fill="currentColor"') == shown.count('class="yours"') == shown.count('class="open"') == 1
    assert "<b>1 of 3</b>" in shown


@pytest.mark.parametrize(
    ("left", "words", "css"),
    [
        (timedelta(hours=71, minutes=5), "71 h left", "fuse"),
        (timedelta(hours=7, minutes=6), "7 h 06 min left", "fuse fuse--soon"),
        (timedelta(minutes=34), "34 min left", "fuse fuse--last"),
        (timedelta(seconds=3), "1 min left", "fuse fuse--last"),
        (timedelta(days=30), "30 days left", "fuse"),
        (timedelta(0), "expired", "fuse"),
    ],
)
def test_a_fuse_says_what_is_left_before_it_draws_it(left, words, css):
    shown = markup.fuse(NOW + left, NOW + left - timedelta(hours=72), NOW)
    assert f"<span>{words}</span>" in shown
    assert f'class="{css}"' in shown


def test_a_moment_is_told_in_the_readers_zone():
    with timezone.override("Europe/Zurich"), time_machine.travel(NOW, tick=False):
        shown = markup.moment(NOW - timedelta(days=2))
    assert '<time datetime="2026-11-20T10:14+01:00">20 Nov 2026, 10:14</time>' in shown
    assert "2 days ago" in shown


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-38), "38 min ago"),
        (timedelta(hours=-19), "19 h ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=39, seconds=1), "in 39 days"),
        (timedelta(seconds=9), "in a moment"),
    ],
)
def test_an_age_is_told_in_one_unit(distance, words):
    with time_machine.travel(NOW, tick=False):
        assert markup.age(NOW + distance) == words


def test_letters_that_turn_the_text_around_are_named():
    """CR-15: U+202E in the note."""
    assert markup.quoted("pay \u202e5\u200b") == "<q>pay [U+202E]5[U+200B]</q>"


@pytest.mark.parametrize(
    "piece",
    [
        lambda text: markup.amount(text, text),
        markup.address,
        markup.address_ends,
        markup.digest,
        lambda text: markup.actor(actors.MEMBER, text),
        lambda text: markup.actor(actors.SERVICE_USER, text),
        markup.state,
        markup.badge,
        markup.code,
        markup.quoted,
    ],
)
def test_no_piece_lets_markup_through(piece):
    assert "<i>" not in piece("<i>x")
    assert "&lt;" in piece("<i>x")


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 2, 12, 3, 7, tzinfo=UTC), "21:03:07"),
        (datetime(2026, 11, 1, 12, 3, 7, tzinfo=UTC), "1 Nov 2026, 21:03:07"),
        # Today there is what the reader's clock says, not what UTC does.
        (datetime(2026, 11, 1, 15, 0, 0, tzinfo=UTC), "00:00:00"),
    ],
)
def test_a_second_is_told_with_its_day_unless_that_is_today(at, shown, time_machine):
    time_machine.move_to(datetime(2026, 11, 2, 14, 0, tzinfo=UTC), tick=False)
    with timezone.override("Asia/Tokyo"):
        assert f">{shown}</time>" in markup.second(at)


def test_every_unseen_letter_is_named_and_no_other_one():
    """CR-15. Of all there are, and also where the text was marked as safe for a page."""
    letters = "".join(map(chr, range(sys.maxunicode + 1)))
    named = {letter: f"[U+{ord(letter):04X}]" for letter in letters if markup.is_unseen(letter) and letter != "\n"}
    assert markup.visible(letters) == "".join(named.get(letter, letter) for letter in letters)
    assert type(markup.visible(mark_safe("<b>"))) is str


@pytest.mark.parametrize("value", ["<b>&'\"", mark_safe("<b>"), gettext_lazy("<b>"), 3, True, None, Decimal("1.50")])
def test_the_set_pieces_escape_as_django_does(value):
    assert escaping.format_html("<i {}>{}", value, value) == html.format_html("<i {}>{}", value, value)
