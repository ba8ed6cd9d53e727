"""The small set pieces of the look, as pure functions: templates and the descriptions of requests share them."""

import re
import unicodedata
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from portal.core import actors
from portal.core.display.escaping import format_html
from portal.core.display.phrases import dated
from portal.core.money import plain
from portal.core.paging import MOST_COUNTED

Level = Literal["pen", "wait", "stop", "done", "void"]

ROBOT: Final = mark_safe(
    '<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">'
    '<path d="M7 1v2M2 4.5h10v7H2z" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M4.5 7h1.6v2H4.5zM7.9 7h1.6v2H7.9z" fill="currentColor"/></svg>'
)
STATES: Final[dict[str, tuple[str, Level]]] = {
    "pending": ("Pending", "wait"),
    "approved": ("Approved, not yet executed", "wait"),
    "executed": ("Executed", "done"),
    "failed": ("Failed", "stop"),
    "rejected": ("Rejected", "stop"),
    "cancelled": ("Cancelled", "void"),
    "expired": ("Expired", "void"),
    "stale": ("Stale", "void"),
}
STROKE: Final = 9
GIVEN: Final = mark_safe('fill="currentColor"')
MISSING: Final = mark_safe('class="open"')
YOURS: Final = mark_safe('class="yours"')
SOON, LAST = timedelta(hours=12), timedelta(hours=1)
FUSE_WIDTH: Final = 72
# Letters that show nothing or turn the text around them: they could make two notes or names look alike.
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# Letters and marks that print as nothing, though their category does not say so.
BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# All but line breaks and what ASCII prints: of the rest alone it is asked one by one, or else of a page of permissions
# and hashes some twenty thousand times.
OTHERS: Final = re.compile(r"[^\n -~]")


def amount(value: Decimal | str, asset: str, *, css: str = "") -> SafeString:
    """`value` with the digits as given, grouped by comma, and its asset; read aloud in one piece."""
    digits = f"{value:f}" if isinstance(value, Decimal) else value
    whole, point, fraction = digits.partition(".")
    return format_html(
        '<data class="{}" value="{}"><span aria-hidden="true">{}</span><span aria-hidden="true">{}</span>'
        '<abbr aria-hidden="true">{}</abbr><span class="sr">{} {}</span></data>',
        f"amount {css}".rstrip(),
        digits,
        _grouped(whole),
        point + fraction,
        asset,
        digits,
        asset,
    )


def said(value: Decimal, asset: str) -> str:
    """`48,200.5 USD`: an amount as every sentence says it, in the digits that it has."""
    return f"{grouped(plain(value))} {asset}"


def grouped(digits: str) -> str:
    """`48200.5` as `48,200.5`, for running text."""
    whole, point, fraction = digits.partition(".")
    return _grouped(whole) + point + fraction


def address(text: str) -> SafeString:
    """All of an address in groups of four; the gaps are margins, so that a copy has no spaces."""
    return format_html(
        '<span class="address" translate="no">{}</span>', format_html_join("", "<span>{}</span>", _in_fours(text))
    )


def address_ends(text: str) -> SafeString:
    """An address by two groups at either end, for the panel that repeats what is agreed to."""
    groups = [group for (group,) in _in_fours(text)]
    if len(groups) <= 4:
        return format_html('<span class="digest"><b>{}</b></span>', " ".join(groups))
    return format_html('<span class="digest"><b>{}</b> … <b>{}</b></span>', " ".join(groups[:2]), " ".join(groups[-2:]))


def digest(text: str, short: bool = False) -> SafeString:
    """A SHA-256 in groups of four, the first twelve digits standing out; `short` shows only those."""
    groups = [group for (group,) in _in_fours(text)]
    head, rest = " ".join(groups[:3]), " ".join(groups[3:])
    if short:
        return format_html('<span class="digest" translate="no"><b>{}</b></span>', head)
    return format_html('<span class="digest" translate="no">SHA-256 <b>{}</b> {}</span>', head, rest)


def actor(kind: str, label: str, *, you: bool = False) -> SafeString:
    """A person round with initials, a bot square with its face."""
    if kind == actors.SERVICE_USER:
        return format_html(
            '<span class="actor actor--bot"><span class="actor__face">{}</span>'
            '<span>{} <span class="sr">(service user)</span></span></span>',
            ROBOT,
            label,
        )
    return format_html(
        '<span class="actor"><span class="actor__face" aria-hidden="true">{}</span><span>{}{}</span></span>',
        initials(label),
        label,
        " (you)" if you else "",
    )


def initials(label: str) -> str:
    """First letters of the first and last word, or the first two letters of a single one."""
    words = label.split()
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()


def quorum(given: int, needed: int, *, yours: bool = False, size: Literal["small", "large"] = "small") -> SafeString:
    """One stroke for each approval: filled is given, hollow missing, blue the reader's to give; the words follow."""
    return format_html(
        '<span class="quorum">{}<span><b>{} of {}</b>{}</span></span>',
        _strokes(given, needed, yours=yours, large=size == "large"),
        given,
        needed,
        (" approval" if needed == 1 else " approvals") if size == "large" else "",
    )


def need(approvals: int) -> SafeString:
    """A requirement of so many approvals, where nothing has been asked yet."""
    return format_html(
        '<span class="quorum quorum--need">{}<span>{}</span></span>',
        _strokes(approvals, approvals, yours=False, large=False),
        approvals,
    )


def fuse(expires_at: datetime, opened_at: datetime, now: datetime, *, total: bool = False) -> SafeString:
    """What is left of the open time, in words and as a line that burns down; `total` also says how long it was."""
    left, whole = expires_at - now, expires_at - opened_at
    if left <= timedelta():
        return mark_safe('<span class="fuse"><span>expired</span></span>')
    css = " fuse--last" if left < LAST else " fuse--soon" if left < SOON else ""
    width = max(1, int(FUSE_WIDTH * min(1.0, left / whole))) if whole > timedelta() else 1
    return format_html(
        '<span class="fuse{}"><span>{} left{}</span><svg height="3" viewBox="0 0 72 3" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect class="track" width="72" height="3"/>'
        '<rect width="{}" height="3" fill="currentColor"/></svg></span>',
        css,
        _left(left),
        f" of {_left(whole)}" if total else "",
        width,
    )


def count(number: int, words: str = "", *, quiet: bool = False) -> SafeString:
    """A number beside what it counts; one that was counted no further than MOST_COUNTED says so. `words` are heard."""
    css = "count count--quiet" if quiet else "count"
    if number <= MOST_COUNTED:
        heard = format_html(' <span class="sr">{}</span>', words) if words else ""
        return format_html('<span class="{}">{}{}</span>', css, number, heard)
    return format_html(
        '<span class="{}"><span aria-hidden="true">{}+</span><span class="sr">more than {} {}</span></span>',
        css,
        MOST_COUNTED,
        MOST_COUNTED,
        words,
    )


def state(value: str) -> SafeString:
    """A state of a ChangeRequest: its word, its colour and its shape."""
    word, level = STATES.get(str(value), (str(value).replace("_", " ").capitalize(), "void"))
    return badge(word, level)


def badge(text: str, level: Level = "void") -> SafeString:
    """Any other state, in words."""
    return format_html('<span class="{}">{}</span>', "state" if level == "void" else f"state state--{level}", text)


def moment(at: datetime | None) -> SafeString:
    """An instant in the reader's zone, then how long ago it was or how soon it will be."""
    if at is None:
        return mark_safe("")
    return format_html('{} <span class="quiet">· {}</span>', instant(at), age(at))


def instant(at: datetime) -> SafeString:
    """An instant in the reader's zone: `19 Nov 2026, 16:20`."""
    local = timezone.localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="minutes"), dated(local))


def second(at: datetime) -> SafeString:
    """An instant to the second, in the reader's zone: `14:03:12`, after its day unless that is today."""
    local = timezone.localtime(at)
    day = "" if local.date() == timezone.localdate() else f"{local.day} {local:%b %Y}, "
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), f"{day}{local:%H:%M:%S}")


def age(at: datetime) -> str:
    """How long ago or how soon, in one unit: `38 min ago`, `in 3 days`."""
    distance = timezone.now() - at
    words = _distance(abs(distance))
    if words == "now":
        return "just now" if distance >= timedelta() else "in a moment"
    return f"{words} ago" if distance > timedelta() else f"in {words}"


def code(text: object) -> SafeString:
    """Text as it is typed, in letters of one width."""
    return format_html("<code>{}</code>", text)


def quoted(text: str) -> SafeString:
    """Somebody's own words, in quotation marks; letters that show nothing are named (security CR-15)."""
    return format_html("<q>{}</q>", visible(text))


def visible(text: str) -> str:
    """`text` with every unseen or direction-changing letter written out as `[U+202E]`; line breaks stay."""
    return OTHERS.sub(lambda found: f"[U+{ord(found[0]):04X}]" if is_unseen(found[0]) else found[0], text)


def is_unseen(letter: str) -> bool:
    """Whether a letter shows nothing, breaks the line, or turns the direction of what follows; the space is none."""
    return letter != " " and (unicodedata.category(letter) in UNSEEN or letter in BLANK)


def next_code(now: datetime) -> SafeString:
    """The line that counts down to the next authenticator code; it shows once its script runs."""
    left = 30 - int(now.timestamp()) % 30
    return format_html('<span data-next-code="{}" hidden>Next code in <span>{}</span> s.</span>', left, left)


def _grouped(whole: str) -> str:
    return f"{int(whole):,}" if whole.isascii() and whole.isdigit() else whole


def _in_fours(text: str) -> list[tuple[str]]:
    return [(text[start : start + 4],) for start in range(0, len(text), 4)]


@lru_cache(maxsize=1024)
def _strokes(given: int, needed: int, *, yours: bool, large: bool) -> SafeString:
    places = max(given, needed)
    strokes = []
    for place in range(places):
        left = place * STROKE
        look = GIVEN if place < given else YOURS if yours and place == given else MISSING
        strokes.append((look, f"M{1.5 + left} 16 L{6 + left} 2 h4 L{5.5 + left} 16z"))
    width, height = STROKE * places + 4, 26 if large else 18
    return format_html(
        '<svg width="{}" height="{}" viewBox="0 0 {} 18" aria-hidden="true">{}</svg>',
        round(width * height / 18),
        height,
        width,
        format_html_join("", '<path {} d="{}"/>', strokes),
    )


def _left(left: timedelta) -> str:
    # Rounded up: what was asked a second ago has all of its hours.
    minutes = int(-(-left.total_seconds() // 60))
    if left < LAST:
        return f"{max(1, minutes)} min"
    if left < SOON:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // 60} h" if minutes <= 96 * 60 else f"{left.days} days"


def _distance(distance: timedelta) -> str:
    minutes = int(distance.total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    return "1 day" if distance.days == 1 else f"{distance.days} days"
