"""A bot that calls without a pause while something is done to the machines, with the released client, and counts.

It is a program, for it has to run where the machines can be reached. It ends once the file that it was told is there.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import krakenex

from tests.machines.networks import Network
from tests.serving import ROOT, surroundings


@dataclass
class Told:
    """How many calls were answered, what the others came to, and how long the longest took."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)
    longest: float = 0.0


@contextmanager
def calling(network: Network, url: str, certificate: Path, key: tuple[str, str], folder: Path) -> Iterator[Told]:
    """While it lasts, a bot reads and trades; what came of it is known afterwards."""
    stop, told = folder / "stop", Told()
    stop.unlink(missing_ok=True)
    given = {"url": url, "certificate": str(certificate), "key": key, "stop": str(stop)}
    process = subprocess.Popen(
        [*network.inside, sys.executable, "-m", "tests.machines.bots", json.dumps(given)],
        cwd=ROOT, env=surroundings(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield told
    finally:
        stop.touch()
        said, _ = process.communicate(timeout=120)
    told.__dict__.update(json.loads(said))


def _call(api: "krakenex.API", told: Told, method: str, **fields: str) -> Any:
    began, answer = time.monotonic(), {}
    try:
        answer = api.query_private(method, fields)
        error = ", ".join(answer["error"])
    except Exception as failure:  # noqa: BLE001  (whatever the client says of a call that came to nothing)
        error = f"{type(failure).__name__}: {failure}"[:300]
    told.longest = max(told.longest, time.monotonic() - began)
    if error:
        told.failed.append(f"{method}: {error}")
        return None
    told.answered += 1
    return answer["result"]


def main() -> None:
    given, told = json.loads(sys.argv[1]), Told()
    api = krakenex.API(*given["key"])
    api.uri, api.session.verify = given["url"], given["certificate"]
    while not Path(given["stop"]).exists():
        _call(api, told, "Balance")
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1000", "volume": "0.01"}
        made = _call(api, told, "AddOrder", **order)
        if made:
            _call(api, told, "CancelOrder", txid=made["txid"][0])
    sys.stdout.write(json.dumps(told.__dict__))


if __name__ == "__main__":
    main()
