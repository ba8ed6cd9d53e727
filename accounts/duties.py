"""What only time brings about for keys and suspensions."""

from accounts import suspensions
from accounts.announcing import announce_due
from portal.work.duties import every


@every(600)
def announce_keys() -> None:
    """Tell people of keys that are about to expire or that nobody uses."""
    announce_due()


@every(300)
def record_lapsed_suspensions() -> None:
    """Write into the history which suspensions by one person have ended by themselves."""
    suspensions.record_lapsed()
