"""What only time brings about for keys."""

from accounts.announcing import announce_due
from portal.work.duties import every


@every(600)
def announce_keys() -> None:
    """Tell people of keys that are about to expire or that nobody uses."""
    announce_due()
