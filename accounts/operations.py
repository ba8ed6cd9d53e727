"""The governed operations on who may act: members, Service Users and their keys, and the Organization itself."""

from accounts.api_keys import revoke
from accounts.emergency_stop import keep_out, lift_stops, lift_suspension
from accounts.members import change_rights, end_membership, invite_member, revoke_invitation
from accounts.members.identity import verify
from accounts.organizations import settings, transfer_ownership
from accounts.security import reset_factors
from accounts.service_users import create_and_change, reinstate_and_remove, rotate

__all__ = [
    "change_rights",
    "create_and_change",
    "end_membership",
    "invite_member",
    "keep_out",
    "lift_stops",
    "lift_suspension",
    "reinstate_and_remove",
    "reset_factors",
    "revoke",
    "revoke_invitation",
    "rotate",
    "settings",
    "transfer_ownership",
    "verify",
]
