"""Adding, replacing and removing a credential of an Account: the governed operations (DESIGN V2)."""

from policies.models import ChangeRequest
from policies.registry import Headline, Touched, always_protected, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid
from portal.venues.kraken.connection import proposing, refusals, wording
from portal.venues.kraken.connection.connections import connected, counting, known_owner
from portal.venues.kraken.connection.params import AddCredential, RemoveCredential
from portal.venues.kraken.models import Connection, Credential, Purpose, shortened

HAS_ONE = "This Account has a credential for withdrawals already. Replace that one."
NOT_THAT = "That credential was replaced or removed meanwhile. Look again, and ask anew."
OTHER_PURPOSE = "A credential takes the place of one for the same purpose."
LAST_ONE = "This is the last credential for everything else. Replace it, or disconnect the Account."


def check_addition(*, actor: Actor, params: AddCredential, change: ChangeRequest) -> None:
    """Take hold of what was typed. Raises: Conflict, Invalid, NotFound in words about what cannot be."""
    found = connected(change, params.account_id, params.account)
    proposing.take(change, [params.credential], found.exchange)
    _check_addition(found, params, change)


def _check_addition(
    found: Connection, params: AddCredential, change: ChangeRequest
) -> tuple[Credential, list[Credential]]:
    """The new one, and the one that it takes the place of, if it does."""
    [row] = proposing.check(change, [params.credential], found.exchange)
    owner = known_owner(params.account_id)
    if owner and row.owner and row.owner != owner:
        raise Invalid(refusals.OTHER_ACCOUNT, field="public")
    there = list(counting(params.account_id).select_for_update(no_key=True).order_by("pk"))
    replaced = [each for each in there if each.pk == params.replaces]
    if params.replaces is not None and (not replaced or replaced[0].public != params.replaced_public):
        raise Conflict(NOT_THAT)
    if any(each.purpose != row.purpose for each in replaced):
        raise Invalid(OTHER_PURPOSE)
    kept = [each for each in there if each not in replaced]
    if row.purpose == Purpose.WITHDRAW and any(each.purpose == Purpose.WITHDRAW for each in kept):
        raise Conflict(HAS_ONE)
    _refuse_blind([*kept, row])
    return row, replaced


def check_removal(*, actor: Actor, params: RemoveCredential, change: ChangeRequest) -> None:
    """Raises: Conflict if it is gone, or nothing would be left to read with; NotFound."""
    connected(change, params.account_id, params.account)
    _check_removal(params)


def _check_removal(params: RemoveCredential) -> Credential:
    there = list(counting(params.account_id).select_for_update(no_key=True).order_by("pk"))
    row = next((each for each in there if each.pk == params.credential_id), None)
    if row is None or (row.public, row.purpose) != (params.public, params.purpose):
        raise Conflict(NOT_THAT)
    kept = [each for each in there if each != row]
    if not any(each.purpose == Purpose.REST for each in kept):
        raise Conflict(LAST_ONE)
    if row.purpose == Purpose.REST:
        _refuse_blind(kept)
    return row


def _refuse_blind(rows: list[Credential]) -> None:
    if not any("query-funds" in row.permissions for row in rows if row.purpose == Purpose.REST):
        raise Invalid(refusals.READS_NO_BALANCE, field="public")


def touched_addition(*, params: AddCredential, change: ChangeRequest) -> tuple[Touched, ...]:
    """The credential that it takes the place of, or the place for withdrawals; one more takes nobody's."""
    new = params.credential
    if params.replaces is not None:
        return (_touched(params.account_id, params.replaces, params.replaced_public, change),)
    there = counting(params.account_id).filter(organization=change.organization_id)
    if new.purpose == Purpose.WITHDRAW:
        now = ", ".join(row.short for row in there.filter(purpose=Purpose.WITHDRAW)) or "none"
        return (Touched("Credential for withdrawals", now, new.short),)
    is_there = there.filter(public=new.public).exists()
    return (Touched(f"Credential {new.short}", "in use" if is_there else "none", "in use"),)


def touched_removal(*, params: RemoveCredential, change: ChangeRequest) -> tuple[Touched, ...]:
    """The credential itself."""
    return (_touched(params.account_id, params.credential_id, params.public, change),)


def _touched(account_id: int, credential_id: int, public: str, change: ChangeRequest) -> Touched:
    there = counting(account_id).filter(organization=change.organization_id, pk=credential_id)
    return Touched(f"Credential {shortened(public)}", "in use" if there.exists() else "gone", "gone")


@operation(
    "kraken.add_credential",
    title="Add or replace a credential of an exchange",
    workflow=Workflow.MANAGE_ACCESS,
    params=AddCredential,
    subject=lambda params: f"connection:{params.account_id}:{params.credential.purpose}:{params.replaces or 'new'}",
    headline=lambda params: Headline(
        f"{'Replace' if params.replaces else 'Add'} a credential of {params.account} "
        f"for {Purpose(params.credential.purpose).label.lower()}"
    ),
    describe=wording.addition,
    opened=check_addition,
    ended=proposing.wipe,
    protection=lock_protection.CREDENTIAL,
    protected=always_protected,
    touches=touched_addition,
    shifts_power=False,
)
def add_credential(*, actor: Actor, params: AddCredential, change: ChangeRequest) -> Credential:
    """Let it count for the Account; the secret of the one that it takes the place of is forgotten.

    Raises: as `check_addition`.
    """
    found = connected(change, params.account_id, params.account)
    row, replaced = _check_addition(found, params, change)
    for old in replaced:
        _retire(old, actor, change)
    proposing.activate(found.account, [row])
    _record(EventKind.CREDENTIAL_ADDED, row, actor, change)
    return row


@operation(
    "kraken.remove_credential",
    title="Remove a credential of an exchange",
    workflow=Workflow.MANAGE_ACCESS,
    params=RemoveCredential,
    subject=lambda params: f"connection:{params.account_id}:{params.credential_id}",
    headline=lambda params: Headline(f"Remove a credential of {params.account}"),
    describe=wording.removal,
    opened=check_removal,
    protection=lock_protection.DISCONNECT,
    protected=always_protected,
    touches=touched_removal,
    shifts_power=False,
)
def remove_credential(*, actor: Actor, params: RemoveCredential, change: ChangeRequest) -> None:
    """Forget its secret; without one for withdrawals the Account sends nothing.

    Raises: as `check_removal`.
    """
    check_removal(actor=actor, params=params, change=change)
    _retire(_check_removal(params), actor, change)


def _retire(row: Credential, actor: Actor, change: ChangeRequest) -> None:
    proposing.retire(Credential.objects.filter(pk=row.pk))
    _record(EventKind.CREDENTIAL_REMOVED, row, actor, change)


def _record(kind: EventKind, row: Credential, actor: Actor, change: ChangeRequest) -> None:
    record(
        kind,
        actor=actor,
        subject=row,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        credential=row.short,
        purpose=row.purpose,
        permissions=list(row.permissions),
    )
