"""What was typed on a command line: everybody on the machine can read it there, so an address may come from a file."""

from pathlib import Path
from typing import Final

from django.core.management.base import CommandError

IN_FILE: Final = "@"
NAMED: Final = "DATABASE_URL="


def url(text: str) -> str:
    """The URL itself; of `@FILE` the first line of that file that is no remark, as it is or behind `DATABASE_URL=`.

    Raises: CommandError where the file cannot be read, or holds none.
    """
    if not text.startswith(IN_FILE):
        return text
    path = Path(text.removeprefix(IN_FILE))
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise CommandError(f"{path} cannot be read: {said}.") from error
    found = next((line for line in lines if line and not line.startswith("#")), "")
    if not found:
        raise CommandError(f"{path} holds no address.")
    return found.removeprefix(NAMED)
