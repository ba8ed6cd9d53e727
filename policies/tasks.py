"""What only time brings about for requests."""

from policies.changes import expire_due
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.freezes.freeze import record_lapsed
from policies.notifications import mail
from policies.replay import runs as replays
from portal.jobs.periodic import every
from portal.jobs.rounds import round_of


@every(5)
def expire_changes() -> None:
    """Write what time has decided, so that holds are given back."""
    expire_due()


@every(30)
def ask_approved_again() -> None:
    """Ask how went what was approved and is not known to be done."""
    ask_unknown_again()


@every(60)
def remind() -> None:
    """Remind those who can decide, once, before it is too late."""
    mail.remind_due()


@every(300)
def record_lapsed_freezes() -> None:
    """Write into the history which freezes have ended by themselves."""
    record_lapsed()


@round_of("replays")
def run_replays() -> bool:
    """Hold past requests against rules that somebody tries out, one replay at a time."""
    return replays.run_next()


@every(3600)
def prune_replays() -> None:
    """Forget replays that are a week old."""
    replays.prune()
