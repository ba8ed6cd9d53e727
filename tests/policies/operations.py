"""Two governed operations that exist for these tests only: they leave marks that can be counted."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils.html import format_html

from policies.registry import Headline, Underway, WentWrong, operation
from policies.workflows import Workflow
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict, Insufficient, Unavailable
from portal.core.secrets.sealing import token


def mark(word, change) -> Model:
    """A row that says what happened. Two like marks are two rows, so that a second run shows."""
    return Group.objects.create(name=f"{word} {change.reference} {token(8)}")


def marks(word, change) -> int:
    return Group.objects.filter(name__startswith=f"{word} {change.reference} ").count()


@dataclass(frozen=True, slots=True)
class Tidy:
    """Something about access. `fault` is what the run shall raise; `about` the Member concerned."""

    what: str
    about: int | None = None
    fault: str = ""
    withdraw_from: int | None = None
    takes: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    account_id: int
    amount: str
    fault: str = ""


FAULTS = {"conflict": Conflict, "unavailable": Unavailable, "insufficient": Insufficient}
mended: set[str] = set()
# Of the requests that went outside and whose answer was lost: whether it can be said how they went.
silent: set[str] = set()


def _describe(change):
    return Description(
        sentence=format_html("<b>{}</b> asks to {}.", change.initiator_label, change.title),
        facts=(Fact("What", change.title),),
        panel=(Fact("What", change.title),),
    )


def _run(params, change):
    if params.fault and params.fault not in mended:
        raise FAULTS[params.fault](f"The run met a {params.fault}.")
    mark("ran", change)


@operation(
    "tests.tidy",
    title="Tidy",
    workflow=Workflow.MANAGE_ACCESS,
    params=Tidy,
    subject=lambda params: params.what,
    subject_member=lambda params: params.about,
    gives_withdraw=lambda params: () if params.withdraw_from is None else (params.withdraw_from,),
    takes_power=lambda params: params.takes,
    headline=lambda params: Headline(f"Tidy {params.what}"),
    describe=_describe,
    shifts_power=False,
)
def tidy(*, actor, params, change):
    _run(params, change)


def _hold(*, actor, params, change):
    if params.amount == "too much":
        raise Insufficient("There is not that much.", field="amount")
    mark("held", change)


def _release(*, change):
    mark("released", change)


def _sent(*, change):
    if marks("broke", change):
        raise WentWrong("EFunding:Max fee exceeded")
    if change.reference in silent or (marks("begun", change) and not marks("sent", change)):
        raise Unavailable("Nobody can say.")
    return marks("sent", change) > 0


@operation(
    "tests.send",
    title="Send",
    workflow=Workflow.INITIATE_WITHDRAWAL,
    params=Send,
    account=lambda params: params.account_id,
    headline=lambda params: Headline("Send to the bank", params.amount, "USD"),
    describe=_describe,
    opened=_hold,
    ended=_release,
    done=_sent,
    money=True,
    shifts_power=False,
    permission="withdraw-funds",
)
def send(*, actor, params, change):
    if params.fault == "underway":
        mark("begun", change)
        return Underway()
    return _run(params, change)
