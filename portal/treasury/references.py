"""The names of withdrawals on the wire."""

from portal.core import secrets


def new_reference() -> str:
    """A refid in the protocol's form, as `AGBSO6T-UFMTTQ-I7KGS6` (reference §7)."""
    return f"{secrets.token(7)}-{secrets.token(6)}-{secrets.token(6)}"
