"""The look in templates: every piece of `markup` as a tag, and as a filter where one value is enough."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django import template
from django.conf import settings
from django.forms import BaseForm, BoundField
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core import money
from portal.core.display import markup
from portal.core.display.phrases import counted
from portal.core.factors import factor_word

register = template.Library()

# Security WB-2: no eval, no scripts out of answers, no copies of pages in the browser's storage.
HTMX_CONFIG: Final = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "historyRestoreAsHxRequest": False,
}
NOTICE_LEVELS: Final = {"success": "done", "error": "stop", "warning": "wait"}

for tag in (markup.amount, markup.actor, markup.quorum, markup.need, markup.badge, markup.digest, markup.count):
    register.simple_tag(tag)
for piece in (
    markup.address,
    markup.address_ends,
    markup.state,
    markup.moment,
    markup.instant,
    markup.second,
    markup.age,
    markup.code,
    markup.quoted,
):
    register.simple_tag(piece)
    register.filter(piece.__name__, piece)
register.filter("amount", markup.amount)
register.filter("plain", lambda amount: markup.grouped(money.plain(amount)))
register.filter("badge", markup.badge)
register.filter("need", markup.need)
register.filter("initials", markup.initials)
register.filter("visible", markup.visible)
register.filter("digest", markup.digest)
register.filter("counted", counted)
register.filter("factor_word", factor_word)


@register.simple_tag
def fuse(expires_at: datetime, opened_at: datetime, *, total: bool = False) -> SafeString:
    """How much of its time a request has left, as of now."""
    return markup.fuse(expires_at, opened_at, timezone.now(), total=total)


@register.simple_tag
def version() -> str:
    """Which release of the portal answers: a tag, since pages about errors are rendered without a request."""
    return settings.VERSION


@register.simple_tag
def htmx_config() -> SafeString:
    """The bounds that htmx keeps to, for the head of every page."""
    return format_html('<meta name="htmx-config" content="{}">', json.dumps(HTMX_CONFIG, separators=(",", ":")))


@register.simple_block_tag
def notice(
    content: SafeString, level: str = "", *, element: str = "div", is_slim: bool = False, **attributes: str | bool
) -> SafeString:
    """A notice around `content`; `level` says how grave it is: pen, done, wait, stop, or nothing.

    Further attributes of HTML are written with underscores; True stands for one without a value.
    """
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    box = {"content": content, "level": level, "element": element, "is_slim": is_slim, "attributes": flatatt(named)}
    return render_to_string("components/_notice.html", box)


@register.filter
def notice_role(level: str) -> str:
    """How loudly a screen reader says a message of Django's levels."""
    return "alert" if level == "error" else "status"


@register.filter
def notice_level(level: str) -> str:
    """The notice that a message of Django's levels is shown as."""
    return NOTICE_LEVELS.get(level, "pen")


@register.filter
def lines(text: object) -> list[str]:
    """The lines of a message: the first says it, the others say what to do."""
    return [line for line in str(text).splitlines() if line]


@register.filter
def wrong_fields(form: BaseForm) -> Sequence[BoundField]:
    """The visible fields of `form` that have errors, in the order of the page."""
    return [field for field in form.visible_fields() if field.errors]


@register.filter
def optional_note(field: BoundField) -> str:
    """What stands behind the label of a field that may stay empty, unless the label says it in its own words."""
    return "" if field.field.required or str(field.label).endswith(")") else "(optional)"
