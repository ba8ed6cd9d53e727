"""An address on a command line, which everybody on the machine can read there, or in a file, which they cannot."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.operating import typed

URL = "postgres://owner:hunter2@db.example.com/countersign"


@pytest.mark.parametrize("text", [URL, f"DATABASE_URL={URL}", f"# of the owner\n\n  DATABASE_URL={URL}  \nMORE=1\n"])
def test_a_file_holds_it_as_it_is_or_as_a_setting(tmp_path, text):
    path = tmp_path / "owner"
    path.write_text(text)
    assert typed.url(f"@{path}") == URL
    assert typed.url(URL) == URL
    assert typed.url("") == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file or directory"), (b"# only\n\n", "holds no address"), (b"\xff", "is no text")],
)
@pytest.mark.parametrize(
    "command",
    [["copydatabase", "--check"], ["restore", "--latest", "--check"]],
    ids=lambda command: str(command[0]),
)
def test_a_file_that_holds_none_is_named(tmp_path, settings, command, content, said):
    path = tmp_path / "owner"
    if content is not None:
        path.write_bytes(content)
    settings.BACKUP_DIR = tmp_path
    for name in ("countersign-x-20260101T000000Z.pgdump", "countersign-x-20260101T000000Z.pgdump.json"):
        (tmp_path / name).touch()
    with pytest.raises(CommandError) as caught:
        call_command(*command, "--to", f"@{path}")
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_what_the_file_holds_is_what_is_copied_to(tmp_path):
    path = tmp_path / "owner"
    path.write_text("DATABASE_URL=sqlite:///elsewhere\n")
    with pytest.raises(CommandError, match="--to names a database of PostgreSQL"):
        call_command("copydatabase", "--to", f"@{path}")
