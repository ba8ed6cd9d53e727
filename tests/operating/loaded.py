"""A process that has loaded the portal once, and runs each command of manage.py in a copy of itself.

To load it takes longer than most commands do. Each is a process as it would be otherwise, with its own exit status.
Run as a program it is that process: it reads commands, and where what they say goes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import load_command_class

from portal import command_line
from tests.serving import ROOT


@dataclass(frozen=True)
class Loaded:
    """That process, as those see it who have commands."""

    process: "subprocess.Popen[str]"
    folder: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """The command, from its beginning to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        said = [self.folder / name for name in ("stdout", "stderr")]
        self.process.stdin.write(json.dumps([[str(path) for path in said], command]) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return subprocess.CompletedProcess(command, status, *(path.read_text() for path in said))


@contextmanager
def loaded(environment: Mapping[str, str]) -> Iterator[Loaded]:
    """It, with these variables."""
    program = [sys.executable, "-m", "tests.operating.loaded"]
    with (
        tempfile.TemporaryDirectory(prefix="loaded-") as folder,
        subprocess.Popen(
            program, cwd=ROOT, env={**environment, "DJANGO_SETTINGS_MODULE": "portal.settings"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process,
    ):  # fmt: skip
        yield Loaded(process, Path(folder))


def main() -> None:
    """Read commands until there are no more."""
    django.setup()
    for name in ("backup", "restore"):
        load_command_class("portal.operating", name)
    for line in sys.stdin:
        said, command = json.loads(line)
        if os.fork() == 0:
            for number, path in enumerate((os.devnull, *said)):
                os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            sys.argv = ["manage.py", *command]
            command_line.main()
            return
        _, status = os.wait()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
