"""Loops over what concerns many: one of them that fails stops none of the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from portal.core.database.outage import is_away

T = TypeVar("T")

logger = logging.getLogger(__name__)


def each(things: Iterable[T], act: Callable[[T], int], *, what: str) -> int:
    """Do `act` to each, and add up what it returns. One that fails is logged, and the others go on.

    `what` names in the log what was being done. `act` brings its own transaction.

    Raises: what `is_away`: then the database is away for all of them alike.
    """
    done = 0
    for thing in things:
        try:
            done += act(thing)
        except Exception as error:
            if is_away(error):
                raise
            logger.exception("Could not %s; the others go on", what)
    return done
