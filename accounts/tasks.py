"""What only time brings about for keys, streams, sessions and suspensions."""

from accounts.api_keys.expiry_mail import announce_due
from accounts.api_keys.streaming import sockets, tokens
from accounts.authentication import session_store
from accounts.emergency_stop import suspensions
from portal.jobs.periodic import every


@every(600)
def announce_keys() -> None:
    """Tell people of keys that are about to expire or that nobody uses."""
    announce_due()


@every(300)
def record_lapsed_suspensions() -> None:
    """Write into the history which suspensions by one person have ended by themselves."""
    suspensions.record_lapsed()


@every(300)
def sweep_sessions() -> None:
    """Remove sessions that nobody can go on with: with them go the address and the browser they were opened from."""
    session_store.sweep()


@every(60)
def prune_streams() -> None:
    """Forget sockets whose process is gone, and tokens that nobody asks about any more."""
    sockets.prune()
    tokens.sweep()
