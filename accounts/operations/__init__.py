"""The governed operations on who may act: members, Service Users and their keys."""

from accounts.operations import invitations, service_users, standing

__all__ = ["invitations", "service_users", "standing"]
