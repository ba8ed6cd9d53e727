"""People, addresses and bots as the portal's own operations make them, for the demo and for its exchange."""

from collections.abc import Iterable
from typing import Final

from accounts.api_keys import lifecycle
from accounts.factors import totp
from accounts.models import Account, ApiKey, Member, User
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies.changes import propose
from policies.models import ChangeRequest, Group
from policies.operations import CreateGroup, create_group
from portal.dashboard.demo.told import password
from portal.treasury.operations import AddAddress, add_address
from portal.venues.registry import venue

ANYWHERE: Final[tuple[str, ...]] = ()


def person(email: str, name: str) -> User:
    """Somebody who signs in with the demo's password and an authenticator app; the same one when asked again."""
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password(), name=name)
        totp.enrol(user, totp.offer(email))
    return user


def group(owner: Member, name: str, people: Iterable[str]) -> int:
    """A group of the Members who are called so; its primary key."""
    members = Member.objects.filter(organization=owner.organization, user__name__in=tuple(people)).order_by("pk")
    propose(create_group, actor=owner, params=CreateGroup(name, tuple(members.values_list("pk", flat=True))))
    return Group.objects.get(organization=owner.organization, name=name, removed_at=None).pk


def address(
    owner: Member, account: Account, *, key: str, asset: str, method: str, address: str, memo: str = ""
) -> ChangeRequest:
    """Ask for an address; where nothing governs it, it is in the book at once. `asset` under any of its spellings."""
    asset_id = venue(account.venue).asset(asset).id
    params = AddAddress(account_id=account.pk, key=key, asset=asset_id, method=method, address=address, memo=memo)
    return propose(add_address, actor=owner, params=params)


def bot(
    owner: Member,
    account: Account,
    name: str,
    permissions: Iterable[str],
    *,
    websocket: bool = False,
    nonce_window: int = 0,
    sources: tuple[str, ...] = ANYWHERE,
) -> ApiKey:
    """A Service User, and its key, which its maker has seen. `nonce_window` is in units of its nonces."""
    params = CreateServiceUser(
        name=name,
        account_id=account.pk,
        permissions=tuple(permissions),
        expires_at=None,
        query_start=None,
        query_end=None,
        websocket=websocket,
        nonce_window=nonce_window,
        ip_allow_list=sources,
        acknowledged=True,
    )
    propose(create_service_user, actor=owner, params=params)
    key = ApiKey.objects.get(service_user__organization=owner.organization, service_user__name=name)
    lifecycle.reveal(key.pk, member=owner)
    key.refresh_from_db()
    return key
