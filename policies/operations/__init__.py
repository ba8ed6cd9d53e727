"""Governing the rules themselves: what a workflow asks for changes by request like everything else (DESIGN §4)."""

from policies.operations.configure import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy
from policies.operations.lock import LockPolicy, UnlockPolicy, lock_policy, unlock_policy
from policies.rules.stages import meaning, stage

__all__ = [
    "ConfigurePolicy",
    "LockPolicy",
    "RemovePolicy",
    "UnlockPolicy",
    "configure_policy",
    "lock_policy",
    "meaning",
    "remove_policy",
    "stage",
    "unlock_policy",
]
