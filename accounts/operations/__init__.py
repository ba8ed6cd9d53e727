"""The governed operations on who may act: members, Service Users and their keys, and the Organization itself."""

from accounts.operations import (
    identity,
    invitations,
    membership,
    organization,
    ownership,
    rights,
    service_users,
    standing,
)

__all__ = [
    "identity",
    "invitations",
    "membership",
    "organization",
    "ownership",
    "rights",
    "service_users",
    "standing",
]
