"""Making and changing a Service User (DESIGN K1)."""

from dataclasses import asdict, replace
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import Account, ApiKey, ServiceUser
from accounts.request_members import asking_member
from accounts.service_users import descriptions, stale_fields
from accounts.service_users.key_settings import check, check_name, current_key, grown, in_hundredths, limits_of
from accounts.service_users.params import ChangeServiceUser, CreateServiceUser
from policies import changes
from policies.models import ChangeRequest
from policies.registry import Headline, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid, NotFound


def check_creation(*, actor: Actor, params: CreateServiceUser, change: ChangeRequest) -> None:
    """Raises: Invalid beside the field that cannot be."""
    check_name(params.name)
    if ServiceUser.objects.filter(organization=change.organization, name__iexact=params.name).exists():
        raise Invalid(
            f"There is, or was, a {params.name} in {change.organization.name}. Choose another name.", field="name"
        )
    _account(change, params.account_id)
    check(params.limits, acknowledged=params.acknowledged)


def check_change(*, actor: Actor, params: ChangeServiceUser, change: ChangeRequest) -> None:
    """Raises: Invalid beside the field that cannot be; Conflict if nothing changes, or something did meanwhile."""
    bot = find(change, params.service_user_id)
    if params.account_id != bot.account_id:
        raise Conflict(f"{bot.name} does not belong to that account.")
    if limits_of(bot) != params.before:
        raise Conflict(f"{bot.name} was changed since this was asked. Look at it as it is now, and ask again.")
    if params.before == params.after:
        raise Invalid("Nothing would change.")
    check(params.after, acknowledged=params.acknowledged)


@operation(
    "accounts.create_service_user",
    title="Create Service User",
    workflow=Workflow.MANAGE_ACCESS,
    params=CreateServiceUser,
    subject=lambda params: f"service_user:{params.name.lower()}",
    headline=lambda params: Headline(f"Create service user {params.name}"),
    describe=descriptions.creation,
    opened=check_creation,
    touches=stale_fields.by_creation,
    gives_withdraw=lambda params: (params.account_id,) if params.limits.may_withdraw else (),
    protection=lock_protection.MAKE_KEY,
    protected=lambda params, _facts: params.limits.may_withdraw,
)
def create_service_user(*, actor: Actor, params: CreateServiceUser, change: ChangeRequest) -> ServiceUser:
    """Make the bot and its first key, which waits for its initiator to reveal it.

    Raises: Invalid as `check_creation`.
    """
    check_creation(actor=actor, params=params, change=change)
    now = timezone.now()
    bot = ServiceUser.objects.create(
        organization=change.organization,
        account=_account(change, params.account_id),
        name=params.name,
        purpose=params.purpose,
        permissions=list(params.permissions),
        query_start=params.query_start,
        query_end=params.query_end,
        websocket=params.websocket,
        nonce_window=params.nonce_window,
        ip_allow_list=list(params.ip_allow_list),
        withdrawal_cap_hundredths=in_hundredths(params.withdrawal_cap),
        daily_cap_hundredths=in_hundredths(params.daily_cap),
        created_at=now,
        changed_at=now,
    )
    record(
        EventKind.SERVICE_USER_CREATED,
        actor=actor,
        subject=bot,
        organization_id=bot.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        **asdict(params.limits),
    )
    lifecycle.issue(bot, made_by=asking_member(change), expires_at=params.expires_at)
    return bot


@operation(
    "accounts.change_service_user",
    title="Change Service User",
    workflow=Workflow.MANAGE_ACCESS,
    params=ChangeServiceUser,
    subject=lambda params: f"service_user:{params.service_user_id}",
    headline=lambda params: Headline(f"Change service user {descriptions.name_of(params.service_user_id)}"),
    describe=descriptions.alteration,
    opened=check_change,
    touches=stale_fields.by_alteration,
    renewed=lambda params, change: replace(params, before=limits_of(find(change, params.service_user_id))),
    gives_withdraw=lambda params: (
        (params.account_id,) if params.after.may_withdraw and not params.before.withdraws_now else ()
    ),
    takes_power=lambda params: bool(grown(params.after, params.before)) and not grown(params.before, params.after),
    protection=lock_protection.WIDEN_KEY,
    protected=lambda params, _facts: params.after.may_withdraw and bool(grown(params.before, params.after)),
)
def change_service_user(*, actor: Actor, params: ChangeServiceUser, change: ChangeRequest) -> ServiceUser:
    """Give the bot and all its keys other limits, from their next call on.

    Whoever asked for more power becomes a custodian. What the bot asked for and may no longer ask for is cancelled.

    Raises: Invalid, Conflict as `check_change`.
    """
    check_change(actor=actor, params=params, change=change)
    before, after = params.before, params.after
    bot = find(change, params.service_user_id)
    if before.may_withdraw and not after.may_withdraw:
        changes.cancel_all(initiator=bot, reason=f"{bot.name} may no longer withdraw.", actor=actor)
    ServiceUser.objects.filter(pk=bot.pk).update(
        purpose=after.purpose,
        permissions=list(after.permissions),
        query_start=after.query_start,
        query_end=after.query_end,
        websocket=after.websocket,
        nonce_window=after.nonce_window,
        ip_allow_list=list(after.ip_allow_list),
        withdrawal_cap_hundredths=in_hundredths(after.withdrawal_cap),
        daily_cap_hundredths=in_hundredths(after.daily_cap),
        changed_at=timezone.now(),
        version=F("version") + 1,
    )
    live = ApiKey.objects.filter(service_user=bot, slot__isnull=False)
    _set_expiry(bot, after.expires_at)
    if before.nonce_window != after.nonce_window:
        # A wider window must not reopen nonces that were used or passed over before it.
        live.update(floor_nonce=F("last_nonce"), recent_nonces=[])
    lifecycle.touch(bot)
    wider = grown(before, after)
    if wider:
        for key in live:
            lifecycle.add_custodian(key, asking_member(change), reason="widened it")
    record(
        EventKind.SERVICE_USER_CHANGED,
        actor=actor,
        subject=bot,
        organization_id=bot.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        before=asdict(before),
        after=asdict(after),
        widened=sorted(wider),
    )
    bot.refresh_from_db()
    return bot


def _set_expiry(bot: ServiceUser, expires_at: datetime | None) -> None:
    """Let the current key end then, and no key beside it later: one that is rotating out keeps its own end."""
    current = current_key(bot)
    if expires_at is not None:
        beside = ApiKey.objects.filter(service_user=bot, slot__isnull=False)
        beside.filter(Q(expires_at=None) | Q(expires_at__gt=expires_at)).update(expires_at=expires_at)
    if current is not None:
        ApiKey.objects.filter(pk=current.pk).update(expires_at=expires_at)


def find(change: ChangeRequest, service_user_id: int) -> ServiceUser:
    """The bot of the request's Organization, locked.

    Raises: NotFound if there is none, or it was removed.
    """
    bots = ServiceUser.objects.select_for_update().filter(organization_id=change.organization_id, removed_at=None)
    bot = bots.filter(pk=service_user_id).first()
    if bot is None:
        raise NotFound("There is no such service user any more.")
    return bot


def _account(change: ChangeRequest, account_id: int) -> Account:
    account = Account.objects.filter(organization_id=change.organization_id, pk=account_id).first()
    if account is None:
        raise Invalid("There is no such account.", field="account_id")
    return account
