"""What is traded at an exchange: read once when the first Account is connected, so that amounts can be read at all."""

from collections.abc import Mapping
from typing import Final

from django.utils import timezone

from portal.venues.kraken.calling import ask_public
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Purpose, Snapshot
from portal.venues.kraken.reading.catalogue import METHODS
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent

SECONDS: Final = 10.0


def learn(exchange: Exchange) -> None:
    """Keep the exchange's assets and pairs, unless they are kept already.

    Raises: Unavailable, Invalid in words where the exchange does not tell them.
    """
    known = Snapshot.objects.filter(account=None, exchange=exchange.name, part__in=METHODS).exclude(answer="")
    kept = set(known.values_list("part", flat=True))
    for part, method in METHODS.items():
        if part not in kept:
            _keep(exchange, part, _told(exchange, method))


def _told(exchange: Exchange, method: str) -> str:
    """The result as the exchange wrote it."""
    try:
        answer = ask_public(exchange.url, method, seconds=SECONDS)
        if answer.errors:
            raise refusals.of(answer.errors, method, Purpose.REST, fields="")
        told = answer.decoded()
    except NotSent as error:
        raise NotSent(refusals.NO_REACH) from error
    except AnswerLost as error:
        raise AnswerLost(refusals.NO_SENSE) from error
    if not isinstance(told, Mapping) or not told or not all(isinstance(each, Mapping) for each in told.values()):
        raise AnswerLost(refusals.NO_SENSE)
    return (answer.result or b"").decode()


def _keep(exchange: Exchange, part: str, answer: str) -> None:
    now = timezone.now()
    Snapshot.objects.update_or_create(
        account=None,
        exchange=exchange.name,
        part=part,
        defaults={"answer": answer, "read_at": now, "tried_at": now, "trouble": ""},
    )
