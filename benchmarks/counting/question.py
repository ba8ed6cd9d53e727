"""What a process is asked whose calls are counted: as it goes from one process to another."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.counting.counted import Count
from benchmarks.load.signing import Key, Requests, plain, signed
from tests.serving import ROOT


@dataclass(frozen=True, slots=True)
class Question:
    """A call under `name`: a signed one of `method`, or else a GET of `path`. `{number}` in a field is the call's."""

    name: str
    key: Key
    method: str = ""
    path: str = ""
    headers: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def requests(self) -> Requests:
        """What is sent."""
        if not self.method:
            return plain(self.path, self.key, *self.headers)
        return signed(
            self.key, self.method, lambda number: {n: v.format(number=number) for n, v in self.fields.items()}
        )


def written(questions: Sequence[Question]) -> str:
    """The same as text."""
    return json.dumps([asdict(each) for each in questions])


def read(text: str) -> list[Question]:
    """The questions in what `written` gave."""
    return [
        Question(**{**each, "key": Key(**each["key"]), "headers": tuple(each["headers"])}) for each in json.loads(text)
    ]


def count(application: str, environment: Mapping[str, str], questions: Sequence[Question]) -> dict[str, Count]:
    """What each takes of that WSGI application (`module:name`), in a process of its own. Raises: CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.counting", application],
        cwd=ROOT,
        env=dict(environment),
        input=written(questions),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {name: Count(**each) for name, each in json.loads(done.stdout).items()}
