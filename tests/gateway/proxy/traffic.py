"""What went over the wire: requests as they came, and whether the exchange ever saw them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

PRIVATE: Final = "/0/private/"
PUBLIC: Final = "/0/public/"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of HTTP: its headers without those that say how it is carried."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    def read(self) -> Any:
        """The envelope in it."""
        return json.loads(self.body)


@dataclass(slots=True)
class Request:
    """One request of the gateway. `nth` is the how-manieth of its method, from 1; `at` is in Unix seconds.

    `executed` says that the exchange was given it and answered, whatever became of that answer; `answer` is what the
    exchange itself said, `answered` whether the gateway was given a whole one.
    """

    verb: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    nth: int = 0
    executed: bool = False
    answered: bool = False
    answer: Answer | None = None
    fields: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """What was asked, whether it stands in the body or, of a public method, behind the question mark."""
        query = urlsplit(self.target).query
        if "json" in self.headers.get("Content-Type", ""):
            self.fields = {name: str(value) for name, value in json.loads(self.body or b"{}").items()}
        else:
            self.fields = dict(parse_qsl(query + "&" + self.body.decode(), keep_blank_values=True))

    @property
    def method(self) -> str:
        """`Withdraw`, `Earn/Allocate`, `Time`; empty for a path that is none of the protocol's."""
        path = urlsplit(self.target).path
        return next((path[len(start) :] for start in (PRIVATE, PUBLIC) if path.startswith(start)), "")

    @property
    def is_private(self) -> bool:
        """Whether it was signed."""
        return self.target.startswith(PRIVATE)

    @property
    def key(self) -> str:
        """The public half of the credential that it was made with."""
        return self.headers.get("API-Key", "")

    @property
    def nonce(self) -> int:
        """Zero where there is none."""
        return int(self.fields.get("nonce", 0))

    @property
    def accepted(self) -> bool:
        """Whether the exchange did what was asked: it answered without an error."""
        return self.executed and self.answer is not None and self.answer.read()["error"] == []
