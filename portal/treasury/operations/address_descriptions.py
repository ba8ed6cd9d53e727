"""Requests about the book of addresses in plain words (DESIGN R7)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.db.models.expressions import BaseExpression
from django.utils import timezone
from django.utils.html import format_html

from accounts.models import Account
from policies import registry
from policies.payload import decode
from portal.core.database import named_rows
from portal.core.database.rows import Rows
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.phrases import counted, dated, listed
from portal.treasury import address_book, destination_html, mirrors, warnings
from portal.treasury.models import Address
from portal.treasury.operations.params import AddAddress, RemoveAddress, RenameAddress
from portal.treasury.operations.withdrawal_descriptions import account_of
from portal.treasury.warnings import KnownElsewhere, LookAlike, NameUsedBefore, Question
from portal.venues.registry import venue
from portal.venues.types import Destination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policies.models import ChangeRequest


def addition(change: "ChangeRequest") -> Description:
    """Where money could go afterwards."""
    params: AddAddress = decode(registry.get(change.operation).params, change.params)
    account = account_of(change, params.account_id)
    method = venue(account.venue).withdrawal_method(params.asset, params.method)
    target = Destination(params.key, params.address, method.name, method.network, params.memo)
    sentence = format_html(
        "<b>{}</b> asks that <b>{}</b> may send <b>{}</b> to a new address, called <b>{}</b>.",
        change.initiator_label,
        account.name,
        method.asset.code,
        params.key,
    )
    facts = (
        Fact("Account", account.name),
        Fact("Asset", method.asset.code),
        Fact("Address", destination_html.receiver(target)),
    )
    panel = (
        Fact("Add", params.key),
        Fact("Address", destination_html.ends(method.network, params.address)),
        Fact("For", f"{method.asset.code} of {account.name}"),
    )
    changes = (FieldChange(params.key, "not in the book", f"{method.asset.code} may go there", grows=True),)
    said = beware(account, target) if change.is_open else ()
    return Description(sentence, facts, panel, changes=changes, notices=said)


def beware(account: Account, target: Destination) -> tuple[Notice, ...]:
    """What whoever adds an address should know, and whoever agrees to it."""
    organization_id = account.organization_id
    last = Notice("wait", "Money sent there cannot be called back.", warnings.COMPARE)
    there = _at_the_exchange(account, target)
    return (*there, *warnings.told(organization_id, *_asked_of_addition(account, target)), last)


def _at_the_exchange(account: Account, target: Destination) -> tuple[Notice, ...]:
    """What the exchange's own book says of it, where this one mirrors it."""
    listing = mirrors.listing_of(account)
    if listing is None:
        return ()
    if listing.read_at is None:
        return (Notice("wait", "Whether the exchange has this address is not known.", mirrors.FIRST_THERE),)
    trouble = listing.trouble_with(target)
    if not trouble:
        at = dated(timezone.localtime(listing.read_at))
        return (Notice("pen", f"The exchange lists it so, as of {at}.", "What is sent there goes by this name."),)
    return (Notice("stop" if listing.contradiction(target) else "wait", trouble, mirrors.FIRST_THERE),)


def _asked_of_addition(account: Account, target: Destination) -> tuple[Question, ...]:
    organization_id = account.organization_id
    return (
        LookAlike(organization_id, target.network, target.address),
        KnownElsewhere(organization_id, target.address, target.memo, but=account.pk),
        NameUsedBefore(account.pk, target.key, target.address, target.memo),
    )


def renaming(change: "ChangeRequest") -> Description:
    """Under which name bots and people would find it."""
    params: RenameAddress = decode(registry.get(change.operation).params, change.params)
    address = _address(params.address_id)
    sentence = format_html(
        "<b>{}</b> asks to rename the address <b>{}</b> of <b>{}</b> to <b>{}</b>. Where it leads stays the same.",
        change.initiator_label,
        params.key,
        address.account.name,
        params.new_key,
    )
    panel = (Fact("Rename", params.key), Fact("To", params.new_key), Fact("Address", _ends(address)))
    return Description(
        sentence,
        _facts(address, params.key),
        panel,
        changes=(FieldChange("Name", params.key, params.new_key),),
        notices=_beware_of_renaming(params, address) if change.is_open else (),
    )


def _beware_of_renaming(params: "RenameAddress", address: Address) -> tuple[Notice, ...]:
    refused = "Bots that ask for the old name are refused afterwards."
    used = NameUsedBefore(address.account_id, params.new_key, address.address, address.memo)
    return (
        Notice("wait", refused, "Tell their authors the new one."),
        *warnings.told(address.organization_id, used),
    )


def removal(change: "ChangeRequest") -> Description:
    """Where no more money could go."""
    params: RemoveAddress = decode(registry.get(change.operation).params, change.params)
    address = _address(params.address_id)
    sentence = format_html(
        "<b>{}</b> asks to remove the address <b>{}</b> of <b>{}</b>. What waits to be sent there stays unsent.",
        change.initiator_label,
        params.key,
        address.account.name,
    )
    panel = (Fact("Remove", params.key), Fact("Address", _ends(address)))
    code = venue(address.account.venue).asset(address.asset).code
    changes = (FieldChange(params.key, f"{code} may go there", "not in the book"),)
    said = beware_of_removal(address) if change.is_open else ()
    return Description(sentence, _facts(address, params.key), panel, changes=changes, notices=said)


def beware_of_removal(address: Address) -> tuple[Notice, ...]:
    """What waits to be sent there, by number: who reads this need not be one who may view withdrawals."""
    return warnings.told(address.organization_id, Removal(address))


@dataclass(frozen=True, slots=True)
class Removal:
    """The question what waits to be sent to an address that is to go."""

    address: Address

    def columns(self) -> tuple[BaseExpression, ...]:
        """The requests, by number."""
        return (Rows(address_book.waiting_to_be_sent(self.address), "number"),)

    def said(self, rows: list[list[int]]) -> tuple[Notice, ...]:
        """By number: who reads this need not be one who may view withdrawals."""
        return _waiting_to_be_sent(sorted(number for (number,) in rows))


def _waiting_to_be_sent(numbers: list[int]) -> tuple[Notice, ...]:
    if not numbers:
        return ()
    named = listed([f"request {number}" for number in numbers[: address_book.SHOWN]])
    more = f", and {len(numbers) - address_book.SHOWN} more" if len(numbers) > address_book.SHOWN else ""
    verb = "waits" if len(numbers) == 1 else "wait"
    title = f"{counted(len(numbers), 'withdrawal')} to this address {verb}."
    return (Notice("wait", title, f"Nobody can approve {named}{more} while the address is out of the book."),)


def read_ahead(changes: "Sequence[ChangeRequest]") -> None:
    """What the descriptions of these ask, read together: the addresses that they name, then all there is to beware."""
    read = [(change, decode(registry.get(change.operation).params, change.params)) for change in changes]
    named_rows.read_ahead(_addresses(), [params.address_id for _, params in read if not isinstance(params, AddAddress)])
    asked: list[Question] = []
    for change, params in read:
        asked += _asked_about(change, params)
    if asked:
        warnings.ask_ahead(changes[0].organization_id, asked)


def _asked_about(change: "ChangeRequest", params: "AddAddress | RenameAddress | RemoveAddress") -> tuple[Question, ...]:
    if isinstance(params, AddAddress):
        account = account_of(change, params.account_id)
        method = venue(account.venue).withdrawal_method(params.asset, params.method)
        return _asked_of_addition(
            account, Destination(params.key, params.address, method.name, method.network, params.memo)
        )
    address = _address(params.address_id)
    if isinstance(params, RenameAddress):
        return (NameUsedBefore(address.account_id, params.new_key, address.address, address.memo),)
    return (Removal(address),)


def _address(pk: int) -> Address:
    found = named_rows.row(_addresses(), pk)
    if found is None:
        raise Address.DoesNotExist
    return found


def _addresses() -> QuerySet[Address]:
    return Address.objects.select_related("account")


def _facts(address: Address, key: str) -> tuple[Fact, ...]:
    target = Destination(key, address.address, address.method, address.network, address.memo)
    return Fact("Account", address.account.name), Fact("Address", destination_html.receiver(target))


def _ends(address: Address) -> str:
    return destination_html.ends(address.network, address.address)
