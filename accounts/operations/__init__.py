"""The governed operations on who may act: members, Service Users and their keys, and the Organization itself."""

from accounts.operations import (
    factors,
    identity,
    invitations,
    keeping_out,
    lifting_brakes,
    membership,
    organization,
    ownership,
    revoking,
    rights,
    rotation,
    service_users,
    standing,
    taking_back,
)

__all__ = [
    "factors",
    "identity",
    "invitations",
    "keeping_out",
    "lifting_brakes",
    "membership",
    "organization",
    "ownership",
    "revoking",
    "rights",
    "rotation",
    "service_users",
    "standing",
    "taking_back",
]
