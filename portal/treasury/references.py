"""The names of withdrawals on the wire."""

from portal.core.secrets import sealing


def new_reference() -> str:
    """A refid in the protocol's form, as `AGBSO6T-UFMTTQ-I7KGS6` (reference §7)."""
    return f"{sealing.token(7)}-{sealing.token(6)}-{sealing.token(6)}"
