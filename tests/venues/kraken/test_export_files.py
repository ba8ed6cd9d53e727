"""Rows of an exchange's files by their own times."""

import io
import zipfile

import pytest

from portal.venues.kraken.relay import export_files
from portal.venues.kraken.relay.values import seconds
from portal.venues.kraken.relay.windows.window import Window
from portal.venues.kraken.upstream.outcomes import AnswerLost

# 2023-11-14 22:13:20 to 22:15:00 UTC.
WINDOW = Window(seconds("1700000000"), seconds("1700000100.5"))
HEAD = '"txid","time","amount"\n'
ROWS = {
    '"A","2023-11-14 22:13:19.9999","1"\n': False,
    '"B","2023-11-14 22:13:20","1.10"\n': True,
    '"C,""D""","2023-11-14 22:15:00.4","1"\r\n': True,
    '"E","2023-11-14 22:15:00.5","1"\n': False,
    # All of its second would have to lie in the window.
    '"F","2023-11-14 22:15:00","1"\n': False,
    "\n": True,
    "G,2023-11-14 22:14:00.0001,1": True,
}


def packed(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


def unpacked(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        return {name: given.read(name).decode() for name in given.namelist()}


def test_rows_outside_of_the_window_are_taken_out_and_the_rest_stays_as_it_was():
    left = HEAD + "".join(row for row, is_seen in ROWS.items() if is_seen)
    content = packed(one=HEAD + "".join(ROWS), two=HEAD)
    assert unpacked(export_files.within(content, WINDOW)) == {"one": left, "two": HEAD}
    separated = packed(one=(HEAD + "".join(ROWS)).replace('"C,""D"""', "C").replace(",", "\t"))
    found = unpacked(export_files.within(separated, WINDOW))["one"]
    assert found == left.replace('"C,""D"""', "C").replace(",", "\t")


def test_a_file_that_holds_nothing_else_is_the_very_same():
    content = packed(one=HEAD + '"B","2023-11-14 22:13:20","1.10"\n')
    assert export_files.within(content, WINDOW) is content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"error":[]}',
        packed(one=HEAD + "A,2023-11-14 22:13:19,1\n")[:-30],
        packed(one='"txid","amount"\n"A","1"\n'),
        packed(one=HEAD + '"A","yesterday","1"\n'),
        packed(one=HEAD + '"A\n","2023-11-14 22:13:20","1"\n'),
        packed(one=HEAD + '"A"\n'),
        packed(one=HEAD + '"A","2023-11-14 22:13:20.?","1"\n'),
        packed(one=HEAD + "A" * export_files.LONGEST_ROW),
        packed(one=HEAD + '"\udcff"'.encode("utf-8", "surrogateescape").decode("latin-1") + ",2023-11-14T,1\n"),
    ],
)
def test_a_file_that_nobody_can_read_is_not_shown(content):
    with pytest.raises(AnswerLost, match="cannot be shown"):
        export_files.within(content, WINDOW)
