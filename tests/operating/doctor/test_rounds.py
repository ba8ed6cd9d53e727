"""All looks are taken, whatever becomes of one of them; and how it is shown."""

import json
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from portal.operating.doctor import looks, printing, rounds
from portal.operating.doctor.findings import Finding, Level, Look, Words

WELL = Finding("one", Level.OK, "it works")


def fails(error: Exception):
    def run():
        yield WELL
        raise error

    return run


def test_one_that_hangs_holds_up_no_other():
    let_go = Event()

    def hangs():
        yield WELL
        let_go.wait(30)

    found = rounds.taken([Look("slow", hangs, seconds=0.2), Look("two", lambda: [WELL])])
    let_go.set()
    assert [(line.subject, line.level) for line in found] == [
        ("one", Level.OK),
        ("slow", Level.WRONG),
        ("one", Level.OK),
    ]
    assert "no answer within" in found[1].found


@pytest.mark.parametrize("error", [OperationalError("the database is away"), RuntimeError("broken")])
def test_one_that_breaks_says_so_and_keeps_what_it_had_seen(error):
    found = rounds.taken([Look("broken", fails(error)), Look("two", lambda: [WELL])])
    assert [line.level for line in found] == [Level.OK, Level.WARN, Level.OK]
    assert str(error) in found[1].found
    assert found[1].do


def test_lines_say_what_to_do_and_are_coloured_on_a_terminal_alone():
    lines = [WELL, Words("longer").wrong("it does not", "Mend it.")]
    plain = printing.as_lines(lines, in_colour=False)
    assert plain.splitlines() == [
        "ok     one     it works",
        "wrong  longer  it does not",
        "               → Mend it.",
        "",
        "1 ok, 0 warn, 1 wrong",
    ]
    assert "\033[31mwrong" in printing.as_lines(lines, in_colour=True)
    assert "\033" not in plain


@pytest.fixture
def taken(monkeypatch):
    """The command with other looks."""

    def given(*findings: Finding):
        monkeypatch.setattr(looks, "here", lambda: [Look("it", lambda: findings)])

    return given


def test_it_ends_well_unless_something_is_wrong(taken, capsys):
    taken(WELL, Words("two").warn("so so", "See."))
    call_command("doctor", as_json=True)
    assert json.loads(capsys.readouterr().out)["well"] is True
    taken(WELL, Words("two").wrong("no", "Mend it."))
    with pytest.raises(SystemExit) as end:
        call_command("doctor")
    assert end.value.code == 1
    assert "→ Mend it." in capsys.readouterr().out


def test_json_holds_all_there_is(taken, capsys):
    taken(Words("two").warn("so so", "See."))
    call_command("doctor", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "well": True,
        "findings": [{"subject": "two", "level": "warn", "found": "so so", "do": "See."}],
    }


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_said(taken, tmp_path, text):
    taken(WELL)
    if text:
        (tmp_path / "file").write_text(text)
    with pytest.raises(CommandError, match="can be read here"):
        call_command("doctor", url="https://portal.example.test", authority=str(tmp_path / "file"))


@pytest.mark.parametrize(
    "url",
    ["http://portal.example.test", "portal.example.test", "https://", "https://a/b", "https://u:p@a", "https://a:x"],
)
def test_what_is_no_address_of_a_portal_is_said(taken, url):
    taken(WELL)
    with pytest.raises(CommandError, match=r"https://portal\.example\.com"):
        call_command("doctor", url=url)
