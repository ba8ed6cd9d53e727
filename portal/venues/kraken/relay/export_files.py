"""The files of exports, row by row: what lies outside of a window is taken out of them."""

import csv
import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Final

from portal.venues.kraken.relay.values import unix
from portal.venues.kraken.relay.windows.window import Window
from portal.venues.kraken.upstream.outcomes import AnswerLost

UNREADABLE: Final = "The exchange sent a file that nobody can read here, so it cannot be shown."
TIME: Final = "time"
# What reading such a file can come to.
UNREAD: Final = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    csv.Error,
    EOFError,
    NotImplementedError,
    IndexError,
    ArithmeticError,
)
IN_MEMORY: Final = 8 * 1024 * 1024
# Of a file, unpacked; and of a row of it.
MOST_BYTES: Final = 2 * 1024**3
LONGEST_ROW: Final = 64 * 1024


def within(content: bytes, window: Window) -> bytes:
    """The zip with the rows that the window shows; the very same one where it shows them all.

    Raises: AnswerLost if it is none, or has a table without times.
    """
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as given,
            tempfile.SpooledTemporaryFile(IN_MEMORY) as kept,
        ):
            if sum(member.file_size for member in given.infolist()) > MOST_BYTES:
                raise AnswerLost(UNREADABLE)
            taken = 0
            with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
                for member in given.infolist():
                    with given.open(member) as rows, made.open(member.filename, "w", force_zip64=True) as left:
                        taken += _copied(rows, left, window)
            if not taken:
                return content
            kept.seek(0)
            return kept.read()
    except UNREAD as error:
        raise AnswerLost(UNREADABLE) from error


def _copied(rows: IO[bytes], left: IO[bytes], window: Window) -> int:
    """Write the rows that are shown; how many were not."""
    taken, place, separator = 0, -1, ","
    for line in _lines(rows):
        text = line.decode()
        if place < 0:
            separator = "\t" if "\t" in text else ","
            names = [name.strip().lower() for name in _cells(text, separator)]
            place = names.index(TIME)
            left.write(line)
        elif text.strip() and not _is_shown(_cells(text, separator)[place], window):
            taken += 1
        else:
            left.write(line)
    return taken


def _lines(rows: IO[bytes]) -> Iterator[bytes]:
    while line := rows.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW:
            raise ValueError("a row without an end")
        yield line


def _cells(text: str, separator: str) -> list[str]:
    """Raises: ValueError if a row goes on in the next line: then nobody can tell rows apart."""
    if text.count('"') % 2:
        raise ValueError("a row in several lines")
    return next(csv.reader([text], delimiter=separator))


def _is_shown(written: str, window: Window) -> bool:
    at = datetime.fromisoformat(written[:19]).replace(tzinfo=UTC)
    # As many digits as are written.
    return window.has_cut(unix(at).to_integral_value() + Decimal(f"0{written[19:]}"))
