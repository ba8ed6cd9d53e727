"""What can become of a call to the exchange, and what its error strings mean for whoever thinks of repeating it."""

from enum import Enum, auto
from typing import Final

from portal.core.errors import Unavailable


class NotSent(Unavailable):
    """Nothing has left: the exchange cannot be reached, or we may not call it. Nothing was done there."""


class AnswerLost(Unavailable):
    """It was sent, and nothing readable came back: it may have been done, or may still be."""


class Stopped(NotSent):
    """The credential is stopped: the exchange refused it, and each further try would renew its lockout."""


class Meaning(Enum):
    """What an error of the exchange says about the call that it answers."""

    # By a rule of the exchange: nothing was done, and a repeat would be refused alike.
    REFUSED = auto()
    # Nothing was done, and another time it may be.
    NOT_DONE = auto()
    # It may have been done all the same.
    DOUBTFUL = auto()
    # The credential does not serve any more; nothing was done.
    CREDENTIAL = auto()
    # Nothing was done, and every further try makes it last longer.
    LOCKOUT = auto()


# By how a string begins; the first that fits counts.
MEANINGS: Final[tuple[tuple[str, Meaning], ...]] = (
    ("EGeneral:Temporary lockout", Meaning.LOCKOUT),
    ("EAPI:Invalid key", Meaning.CREDENTIAL),
    ("EAPI:Invalid signature", Meaning.CREDENTIAL),
    ("EAPI:Bad request", Meaning.REFUSED),
    ("EAPI:Feature disabled", Meaning.CREDENTIAL),
    ("EGeneral:Permission denied", Meaning.CREDENTIAL),
    ("EAccount:", Meaning.CREDENTIAL),
    ("EAuth:Account temporary disabled", Meaning.CREDENTIAL),
    ("EAuth:Account unconfirmed", Meaning.CREDENTIAL),
    ("EAuth:Rate limit exceeded", Meaning.NOT_DONE),
    ("EAuth:Too many requests", Meaning.NOT_DONE),
    ("EAPI:Invalid nonce", Meaning.NOT_DONE),
    ("EAPI:Rate limit exceeded", Meaning.NOT_DONE),
    ("EGeneral:Too many requests", Meaning.NOT_DONE),
    ("EService:Throttled", Meaning.NOT_DONE),
    ("EService: Throttled", Meaning.NOT_DONE),
    ("EService:Market in ", Meaning.REFUSED),
    ("EGeneral:Internal error", Meaning.DOUBTFUL),
    ("EService:", Meaning.DOUBTFUL),
    ("EGeneral:Invalid arguments", Meaning.REFUSED),
    ("EGeneral:Unknown method", Meaning.REFUSED),
    ("EGeneral:Unknown Method", Meaning.REFUSED),
    ("EQuery:", Meaning.REFUSED),
    ("EOrder:", Meaning.REFUSED),
    ("EFunding:", Meaning.REFUSED),
    ("ETrade:", Meaning.REFUSED),
    ("EEarnings:", Meaning.REFUSED),
    ("EAPI:", Meaning.REFUSED),
)
# The most doubtful of several errors is what they mean together.
ORDER: Final = (Meaning.LOCKOUT, Meaning.CREDENTIAL, Meaning.DOUBTFUL, Meaning.NOT_DONE, Meaning.REFUSED)


def meaning(errors: tuple[str, ...]) -> Meaning:
    """What these error strings mean together. One that nobody knows is doubtful."""
    found = {next((means for start, means in MEANINGS if each.startswith(start)), Meaning.DOUBTFUL) for each in errors}
    return next(each for each in ORDER if each in found)
