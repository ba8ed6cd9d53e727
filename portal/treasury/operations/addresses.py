"""Adding, renaming and removing withdrawal addresses."""

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from accounts.models import Account
from policies.registry import Headline, Touched, operation
from policies.rules import lock_names_destinations, lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.lookalikes import look
from portal.core.errors import Conflict, Invalid, NotFound
from portal.treasury import address_names, destinations, mirrors
from portal.treasury.errors import UnknownAddress
from portal.treasury.models import Address
from portal.treasury.operations import address_descriptions as wording
from portal.treasury.operations.params import AddAddress, RemoveAddress, RenameAddress
from portal.venues.registry import venue
from portal.venues.types import Destination, WithdrawalMethod

if TYPE_CHECKING:
    from policies.models import ChangeRequest


# Kept with the request and covered by its digest, so that lists need not look for it.
NAME_AGAIN: Final = "The name stood before"


def check_addition(*, actor: Actor, params: AddAddress, change: "ChangeRequest") -> None:
    """Raises: Invalid beside the field that cannot be; UnknownAsset, UnknownMethod; Conflict if the book has it."""
    account = _account(params, change)
    method = venue(account.venue).withdrawal_method(params.asset, params.method)
    destinations.check_key(params.key)
    _check_address(account, Destination(params.key, params.address, method.name, method.network, params.memo))
    destinations.check_memo(method.network, params.memo)
    _refuse_taken(params.account_id, params.key)
    # Two names for one destination would let one be approved in place of the other, and neither tells more.
    book = Address.objects.filter(account_id=params.account_id, asset=method.asset.id, removed_at=None)
    twin = book.filter(address__iexact=params.address, memo=params.memo).first()
    if twin is not None and destinations.is_same(method.network, twin.address, params.address):
        raise Conflict(f"This address is in the book already, as {twin.key}. Rename that one.", field="address")


def check_renaming(*, actor: Actor, params: RenameAddress, change: "ChangeRequest") -> None:
    """Raises: UnknownAddress; Invalid for a name that cannot be or is the old one; Conflict if it is taken."""
    address = _address(params, change)
    if mirrors.listing_of(address.account) is not None:
        raise Invalid(mirrors.NO_RENAMING, field="key")
    destinations.check_key(params.new_key)
    if params.new_key == params.key:
        raise Invalid(f"It is called {params.key} already.", field="key")
    _refuse_taken(params.account_id, params.new_key, but=address)


def check_removal(*, actor: Actor, params: RemoveAddress, change: "ChangeRequest") -> None:
    """Raises: UnknownAddress."""
    _address(params, change)


def _headline(params: AddAddress) -> Headline:
    account = Account.objects.filter(pk=params.account_id).first()
    code = venue(account.venue).asset(params.asset).code if account else params.asset
    return Headline(f"Add {code} address {params.key}")


def _touched_by_addition(*, params: AddAddress, change: "ChangeRequest") -> tuple[Touched, ...]:
    return (
        Touched(f"Address {params.key}", _called(params.key, params.account_id, change), params.address),
        *_touched_name(params.account_id, params.key, params.address, params.memo),
    )


def _touched_by_renaming(*, params: RenameAddress, change: "ChangeRequest") -> tuple[Touched, ...]:
    address = Address.objects.filter(organization=change.organization_id, pk=params.address_id).first()
    taken = _called(params.new_key, params.account_id, change) if params.new_key != params.key else "none"
    return (
        Touched("Address", _name_now(params, change), params.new_key),
        Touched(f"Address {params.new_key}", taken, f"what {params.key} is now"),
        *(_touched_name(params.account_id, params.new_key, address.address, address.memo) if address else ()),
    )


def _touched_by_removal(*, params: RemoveAddress, change: "ChangeRequest") -> tuple[Touched, ...]:
    return (Touched("Address", _name_now(params, change), "removed"),)


def _touched_name(account_id: int, key: str, address: str, memo: str) -> tuple[Touched, ...]:
    """That the name once stood for another address: bots send to names (DESIGN P2)."""
    if not address_names.stood_for_another(account_id, key, address, memo):
        return ()
    return (Touched(NAME_AGAIN, "for another address", f"for {address}"),)


def gives_name_again(change: "ChangeRequest") -> bool:
    """Whether a name would lead elsewhere than it once did, as it was when this was asked."""
    return any(field.get("name") == NAME_AGAIN for field in change.touched)


def _refuse_unforeseen(change: "ChangeRequest", key: str, address: str, memo: str) -> None:
    """Whoever agreed did not know that bots may still send to that name: too few may have had to."""
    taken = change.account_id is not None and address_names.stood_for_another(change.account_id, key, address, memo)
    if taken and not gives_name_again(change):
        raise Conflict(f"The name {key} has stood for another address since this was asked. Ask anew.", field="key")


def _called(key: str, account_id: int, change: "ChangeRequest") -> str:
    book = Address.objects.filter(organization=change.organization_id, account_id=account_id, removed_at=None)
    return book.filter(key__iexact=key).values_list("address", flat=True).first() or "none"


def _name_now(params: RenameAddress | RemoveAddress, change: "ChangeRequest") -> str:
    """Renaming makes a new row: whatever became of the old one, it is not in the book any more."""
    rows = Address.objects.filter(organization=change.organization_id, pk=params.address_id, removed_at=None)
    return rows.values_list("key", flat=True).first() or "renamed or removed already"


@operation(
    "treasury.add_address",
    title="Add an address",
    workflow=Workflow.MANAGE_ADDRESSES,
    params=AddAddress,
    account=lambda params: params.account_id,
    subject=lambda params: f"address:{params.account_id}:{params.key.lower()}",
    headline=_headline,
    describe=wording.addition,
    describes_ahead=wording.read_ahead,
    opened=check_addition,
    protection=lock_protection.ADD_ADDRESS,
    protected=lambda _params, facts: lock_names_destinations(facts.policies),
    gives_again=gives_name_again,
    touches=_touched_by_addition,
    shifts_power=False,
)
def add_address(*, actor: Actor, params: AddAddress, change: "ChangeRequest") -> Address:
    """Put an address into the book of its Account.

    Raises: as `check_addition`; Conflict if the name has led elsewhere meanwhile.
    """
    check_addition(actor=actor, params=params, change=change)
    _refuse_unforeseen(change, params.key, params.address, params.memo)
    method = _method(params, change)
    address = Address.objects.create(
        organization_id=change.organization_id,
        account_id=params.account_id,
        key=params.key,
        asset=method.asset.id,
        method=method.name,
        network=method.network,
        address=params.address,
        memo=params.memo,
        added_by=actor.label,
        added_at=timezone.now(),
    )
    _record(EventKind.ADDRESS_ADDED, actor, address, change)
    return address


@operation(
    "treasury.rename_address",
    title="Rename an address",
    workflow=Workflow.MANAGE_ADDRESSES,
    params=RenameAddress,
    account=lambda params: params.account_id,
    subject=lambda params: f"address:{params.account_id}:{params.key.lower()}",
    headline=lambda params: Headline(f"Rename address {params.key} to {params.new_key}"),
    describe=wording.renaming,
    describes_ahead=wording.read_ahead,
    opened=check_renaming,
    protection=lock_protection.NAME_AGAIN,
    gives_again=gives_name_again,
    touches=_touched_by_renaming,
    shifts_power=False,
)
def rename_address(*, actor: Actor, params: RenameAddress, change: "ChangeRequest") -> Address:
    """Let a new row take the place of the old one; what waits to be sent there keeps the name it was asked under.

    Raises: as `check_renaming`; Conflict if the name has led elsewhere meanwhile.
    """
    check_renaming(actor=actor, params=params, change=change)
    address = _address(params, change)
    _refuse_unforeseen(change, params.new_key, address.address, address.memo)
    address.removed_at = timezone.now()
    address.save(update_fields=["removed_at"])
    renamed = Address.objects.create(
        organization_id=address.organization_id,
        account_id=address.account_id,
        key=params.new_key,
        asset=address.asset,
        method=address.method,
        network=address.network,
        address=address.address,
        memo=address.memo,
        added_by=address.added_by,
        added_at=address.added_at,
    )
    _record(EventKind.ADDRESS_RENAMED, actor, renamed, change, before=params.key)
    return renamed


@operation(
    "treasury.remove_address",
    title="Remove an address",
    workflow=Workflow.MANAGE_ADDRESSES,
    params=RemoveAddress,
    account=lambda params: params.account_id,
    subject=lambda params: f"address:{params.account_id}:{params.key.lower()}",
    headline=lambda params: Headline(f"Remove address {params.key}"),
    describe=wording.removal,
    describes_ahead=wording.read_ahead,
    opened=check_removal,
    touches=_touched_by_removal,
    shifts_power=False,
)
def remove_address(*, actor: Actor, params: RemoveAddress, change: "ChangeRequest") -> None:
    """Take an address out of the book. What was asked to go there is approved by nobody meanwhile.

    Raises: UnknownAddress.
    """
    address = _address(params, change)
    address.removed_at = timezone.now()
    address.save(update_fields=["removed_at"])
    _record(EventKind.ADDRESS_REMOVED, actor, address, change)


def _account(params: AddAddress, change: "ChangeRequest") -> Account:
    account = Account.objects.filter(pk=params.account_id, organization=change.organization_id).first()
    if account is None:
        raise NotFound("There is no such Account in this Organization.")
    return account


def _method(params: AddAddress, change: "ChangeRequest") -> WithdrawalMethod:
    return venue(_account(params, change).venue).withdrawal_method(params.asset, params.method)


def _check_address(account: Account, target: Destination) -> None:
    """By the network's rules; where the book mirrors the exchange's, as that has it, if it has it already."""
    listing = mirrors.listing_of(account)
    if listing is None:
        destinations.check_address(target.network, target.address)
        return
    destinations.check_listed(target.network, target.address)
    if said := listing.contradiction(target):
        raise Conflict(f"{said} Write it as it is there, or change it there first.", field="address")


def _address(params: RenameAddress | RemoveAddress, change: "ChangeRequest") -> Address:
    address = (
        Address.objects.select_related("account")
        .filter(
            pk=params.address_id,
            key=params.key,
            account_id=params.account_id,
            organization=change.organization_id,
            removed_at=None,
        )
        .first()
    )
    if address is None:
        raise UnknownAddress("There is no such address in this Account.")
    return address


def _refuse_taken(account_id: int, key: str, *, but: Address | None = None) -> None:
    book = Address.objects.filter(account_id=account_id, removed_at=None).exclude(pk=but.pk if but else 0)
    # Whoever approves a withdrawal reads the name first: no two may pass for each other.
    alike = next((name for name in book.values_list("key", flat=True) if look(name) == look(key)), None)
    if alike is not None:
        words = f"called {key}" if alike.casefold() == key.casefold() else f"called {alike}, which looks like this"
        raise Conflict(f"The Account already has an address {words}. Choose another name.", field="key")


def _record(kind: EventKind, actor: Actor, address: Address, change: "ChangeRequest", before: str = "") -> None:
    was: dict[str, Any] = {"before": before} if before else {}
    record(
        kind,
        actor=actor,
        subject=address,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ADDRESSES,
        account_id=address.account_id,
        asset=address.asset,
        network=address.network,
        address=address.address,
        memo=address.memo,
        change=change.reference,
        **was,
    )
