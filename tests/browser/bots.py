"""A bot of the story, as its author would write it."""

import time
from typing import Any

import krakenex


class Program:
    """A program's author's own few lines around krakenex."""

    def __init__(self, base_url: str, key: str, secret: str) -> None:
        self.api = krakenex.API(key, secret)
        self.api.uri = base_url

    def ask(self, method: str, **data: Any) -> dict[str, Any]:
        # Above one call a second the key's call counter would fill up, as on the exchange.
        time.sleep(1)
        answer: dict[str, Any] = self.api.query_private(method, data)
        return answer

    def get(self, method: str, **data: Any) -> Any:
        answer = self.ask(method, **data)
        assert answer["error"] == [], (method, answer)
        return answer["result"]
