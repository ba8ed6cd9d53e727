"""Tables as CSV that a spreadsheet opens and cannot be made to run (security IN-4)."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

# What a spreadsheet takes for the beginning of a formula.
LEADING: Final = ("=", "+", "-", "@", "\t", "\r")
# What begins like one and is a number: it stays one, so that columns add up.
NEGATIVE: Final = re.compile(r"-[0-9]+(\.[0-9]+)?", re.ASCII)


def cell(value: object) -> str:
    """A value as text; one that would begin a formula begins with an apostrophe instead."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(LEADING) and not NEGATIVE.fullmatch(text) else text


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A file to take away. `name` is ours, never somebody's text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    answer = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
