"""The governed operations on who may act: Service Users and their keys."""

from accounts.operations import service_users, standing

__all__ = ["service_users", "standing"]
