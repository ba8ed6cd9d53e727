"""Tables as CSV that a spreadsheet opens without running anything in them (security IN-4)."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Final

from django.http import HttpResponse

# What a spreadsheet would take as the beginning of a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def answer(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """The table as a file called `<name>.csv`, a name of ours and never of anybody who types."""
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def cell(value: object) -> str:
    """A value as text that is only text: with an apostrophe in front where it would be a formula."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip(" \n").startswith(FORMULA) else text
