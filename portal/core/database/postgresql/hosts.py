"""The hosts that connection parameters name: which of them takes changes, asked of one at a time."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import psycopg

# Whether the server takes no changes: a standby, or one that was told not to. Answered by any version, and over a pool.
ASKS: Final = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool"
# What says the same of a connection without asking; a pool in between may not pass it on.
SAID: Final = (b"in_hot_standby", b"default_transaction_read_only")
# These belong to Django's own connections.
OF_DJANGO: Final = frozenset({"context", "cursor_factory", "prepare_threshold"})

Parameters: TypeAlias = Mapping[str, Any]
# A host and its port, empty where it is PostgreSQL's own.
Place: TypeAlias = tuple[str, str]


def places(parameters: Parameters) -> list[Place]:
    """Where servers are, in the order in which they are tried."""
    hosts, given = str(parameters.get("host") or "").split(","), str(parameters.get("port") or "")
    ports = given.split(",") if "," in given else [given] * len(hosts)
    return list(zip(hosts, ports, strict=True))


def are_several(parameters: Parameters) -> bool:
    """Whether there is another one to go to."""
    return "," in str(parameters.get("host") or "")


def beginning_with(parameters: Parameters, first: Place | None) -> dict[str, Any]:
    """The same hosts, that one tried first; as they were where it is none of them."""
    return _at(parameters, sorted(places(parameters), key=lambda place: place != first))


def takes_changes(parameters: Parameters, place: Place) -> bool:
    """Connect to one of the hosts and ask it. Raises: psycopg.Error if it does not answer."""
    kept = {name: value for name, value in parameters.items() if name not in OF_DJANGO}
    alone = {**_at(kept, [place]), "target_session_attrs": "any"}
    with psycopg.connect(**alone, autocommit=True) as raw:
        row = raw.execute(ASKS).fetchone()
        return row is not None and not row[0]


def only_reads(raw: "psycopg.Connection[Any]") -> bool:
    """Whether the server has said of that connection that it takes no changes. Nothing is asked."""
    return any(raw.pgconn.parameter_status(name) == b"on" for name in SAID)


def _at(parameters: Parameters, chosen: list[Place]) -> dict[str, Any]:
    hosts, ports = zip(*chosen, strict=True)
    return {**parameters, "host": ",".join(hosts), **({"port": ",".join(ports)} if any(ports) else {})}
