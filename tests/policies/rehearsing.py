"""A rehearsal, asked for and answered, for tests that go on from there."""

from policies.changes import decide, propose
from policies.operations import REHEARSE
from policies.rehearsals.asking import Rehearse, params_for
from policies.snapshot import gather
from tests.policies.conftest import shown


def asked_by(member, workflow, group=None) -> Rehearse:
    """What the page would ask, as things stand."""
    facts = gather(member.organization)
    asker = facts.person(member.pk)
    assert asker is not None
    return params_for(facts, workflow, group, asker)


def rehearse(member, workflow, *, group=None, note=""):
    """Ask for a rehearsal, as the page would."""
    return propose(REHEARSE[workflow], actor=member, params=asked_by(member, workflow, group), note=note)


def rehearsed(member, workflow, *answering, group=None):
    """Ask for a rehearsal, and have these members answer it."""
    change = rehearse(member, workflow, group=group)
    for one in answering:
        change = decide(change.reference, member=one, approved=True, digest=change.digest, proof=shown(change))
    return change
