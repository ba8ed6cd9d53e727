"""Governing the rules themselves: what a workflow asks for changes by request like everything else (DESIGN §4)."""

from policies.freezes.governed import LIFT, LONGER, FreezeLonger, LiftFreeze
from policies.operations.asked_rules import ConfigurePolicy, by_rules
from policies.operations.configure import configure_policy
from policies.operations.group_params import ChangeGroup, CreateGroup, RemoveGroup, Roster
from policies.operations.groups import change_group, create_group, remove_group
from policies.operations.lock import LockPolicy, UnlockPolicy, lock_policy, pinned, unlock_policy
from policies.operations.rehearse import REHEARSE
from policies.operations.remove import RemovePolicy, remove_policy
from policies.rehearsals.asking import Rehearse
from policies.rules.stages import meaning, stage

__all__ = [
    "LIFT",
    "LONGER",
    "REHEARSE",
    "ChangeGroup",
    "ConfigurePolicy",
    "CreateGroup",
    "FreezeLonger",
    "LiftFreeze",
    "LockPolicy",
    "Rehearse",
    "RemoveGroup",
    "RemovePolicy",
    "Roster",
    "UnlockPolicy",
    "by_rules",
    "change_group",
    "configure_policy",
    "create_group",
    "lock_policy",
    "meaning",
    "pinned",
    "remove_group",
    "remove_policy",
    "stage",
    "unlock_policy",
]
