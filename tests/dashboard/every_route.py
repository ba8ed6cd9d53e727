"""The pages of each route in a furnished house, or why a route makes none."""

from collections.abc import Callable
from typing import Final

from django.urls import reverse
from django.utils import timezone

from policies.drafts import key_of
from policies.models import Freeze, Group, Replay
from policies.snapshot import policies
from portal.treasury.forms import drafts
from portal.treasury.models import Address
from portal.venues.kraken.models import Credential, Purpose, Withdrawal
from tests.factories.full_house import House

Addresses = Callable[[House], list[str]]

POSTED = "a form is posted there: answers no GET"
STRANGERS = "for strangers: leads a member on"
# Routes that give a member no page by GET.
NO_PAGE: Final = {
    "dashboard:home": "leads on to the inbox",
    "dashboard:export_history": POSTED,
    "api:openapi": "a file, the same for everybody",
    "accounts:sign_in": STRANGERS,
    "accounts:verify": STRANGERS,
    "accounts:sign_in_recovery": STRANGERS,
    "accounts:sign_in_passkey": POSTED,
    "accounts:sign_in_passkey_options": POSTED,
    "accounts:enrol_passkey": POSTED,
    "accounts:enrol_passkey_options": POSTED,
    "accounts:passkey_challenge": POSTED,
    "accounts:rename_factor": POSTED,
    "accounts:remove_factor": POSTED,
    "accounts:setup": "there only before the first Organization",
    "accounts:setup_review": "there only before the first Organization",
    "accounts:reset": "for whoever opened a link from their mail",
    "accounts:reset_link": "keeps the token of a link from the mail and leads on",
    "accounts:enrol_start": "for whoever opened a link from their mail",
    "accounts:enrol_link": "keeps the token of a link from the mail and leads on",
    "accounts:put_notice_away": POSTED,
    "accounts:accept_more": POSTED,
    "accounts:send_invitation_again": POSTED,
    "accounts:invitation": "keeps the token of a link from the mail and leads on",
    "accounts:cancel_recovery": POSTED,
    "accounts:sign_out": POSTED,
    "accounts:switch": POSTED,
    "accounts:keep_out": POSTED,
    "accounts:lift_member": POSTED,
    "accounts:remove_member": POSTED,
    "accounts:reset_factors": POSTED,
    "accounts:end_other_sessions": POSTED,
    "accounts:end_session": POSTED,
    "accounts:stay": POSTED,
    "accounts:lift": POSTED,
    "accounts:remove": POSTED,
    "accounts:close_socket": POSTED,
    "accounts:lift_pause": POSTED,
    "accounts:lift_stops": POSTED,
    "accounts:reveal": POSTED,
    "kraken:acknowledge": POSTED,
    "kraken:try_again": POSTED,
    "kraken:look_again": POSTED,
    "treasury:call_back": POSTED,
    "policies:decide": POSTED,
    "treasury:import_addresses": "asks an exchange, and the cast is at none: counted in tests/gateway",
    "policies:cancel": POSTED,
    "policies:change_group": POSTED,
    "policies:remove_group": POSTED,
    "policies:draft": POSTED,
    "policies:start_replay": POSTED,
    "policies:cancel_replay": POSTED,
}


def at(name: str, *queries: str, args: Callable[[House], tuple[object, ...]] = lambda house: ()) -> Addresses:
    """The page of that route, once for each query."""
    return lambda house: [reverse(name, args=args(house)) + query for query in queries or ("",)]


def member(house: House) -> tuple[object, ...]:
    return (house.world.members["cleo"].pk,)


def bot(house: House) -> tuple[object, ...]:
    return ("treasury-bot",)


def key(house: House) -> tuple[object, ...]:
    return ("treasury-bot", house.world.bot("treasury-bot").key.public)


def address(house: House) -> tuple[int]:
    return (Address.objects.get(organization=house.world.organization, key="btc-cold").pk,)


def group(house: House) -> tuple[int]:
    return (Group.objects.get(organization=house.world.organization, name="Finance").pk,)


def requests(name: str, *queries: str) -> Addresses:
    """A request of each kind, and of each end."""
    return lambda house: [
        reverse(name, args=[change.reference]) + query for change in house.requests.values() for query in queries
    ]


def of_withdrawal(name: str) -> Addresses:
    return lambda house: [
        reverse(name, args=[house.requests[which].withdrawal.reference])
        for which in ("treasury.withdraw", "sent", "rejected")
    ]


def each_workflow(name: str, query: str = "") -> Addresses:
    workflows = ("manage_access", "manage_policies", "manage_addresses", "initiate_withdrawal")
    return lambda house: [reverse(name, args=[workflow]) + query for workflow in workflows]


def each_plain(name: str, query: str = "") -> Addresses:
    """Where a policy has rules, as that of withdrawals, the page leads on to them."""
    workflows = ("manage_access", "manage_policies", "manage_addresses")
    return lambda house: [reverse(name, args=[workflow]) + query for workflow in workflows]


def credential(house: House) -> tuple[int, int]:
    """The one of the Vault that withdraws."""
    counts = Credential.objects.filter(account=house.vault, removed_at=None, activated_at__isnull=False)
    return house.vault.pk, counts.get(purpose=Purpose.WITHDRAW).pk


def lost(house: House) -> tuple[str]:
    """The withdrawal of the Vault of which nobody knows."""
    return (Withdrawal.objects.get(account=house.vault).reference,)


def frozen(house: House) -> tuple[int]:
    """A freeze that runs."""
    return (Freeze.objects.filter(organization=house.world.organization, ended_at=None).latest("pk").pk,)


def rule_of(name: str) -> Addresses:
    """Each rule about withdrawals."""
    return lambda house: [
        reverse(name, args=["initiate_withdrawal", key_of(rule)])
        for terms in policies(house.world.organization)
        if terms.workflow == "initiate_withdrawal"
        for rule in terms.rules or ()
    ]


def simulated(house: House) -> list[str]:
    """The empty form, and what would happen to a withdrawal."""
    page, account = reverse("policies:simulate"), house.world.account.pk
    who = f"member:{house.world.members['ana'].pk}"
    return [page, f"{page}?who={who}&account={account}&asset=XXBT&amount=0.5&destination=btc-cold"]


def replayed(house: House) -> tuple[str]:
    """What the Owner wanted to know of a draft."""
    return (Replay.objects.get(author=house.owner).reference,)


def review(house: House) -> list[str]:
    (pk,) = address(house)
    draft = drafts.new_draft(account_id=house.world.account.pk, address_id=pk, amount="0.5", note="", fee="1")
    return [reverse("treasury:review_withdrawal", args=[drafts.pack(draft, house.owner)])]


def batch(house: House) -> list[str]:
    chosen = "&".join(f"change={change.reference}" for change in house.requests.values())
    return [f"{reverse('policies:batch')}?decision={decision}&{chosen}" for decision in ("approve", "reject")]


def preview(house: House) -> list[str]:
    (pk,) = address(house)
    return [f"{reverse('treasury:preview_withdrawal')}?account={house.world.account.pk}&address={pk}&amount=0.5"]


def new_address(house: House) -> list[str]:
    page = reverse("treasury:new_address")
    return [page, f"{page}?way={house.world.account.pk}-XXBT-Bitcoin"]


TABS = ("?tab=waiting", "?tab=asked", "?tab=viewable", "?tab=done", "?tab=viewable&workflow=manage_access&about=1")
TODAY = timezone.localdate().isoformat()
PAGES: Final[dict[str, Addresses]] = {
    "dashboard:history": at(
        "dashboard:history", "", f"?first={TODAY}&last={TODAY}", f"?last={TODAY}", "?about=Withdrawals"
    ),
    "accounts:enrol": at("accounts:enrol"),
    "accounts:enrol_app": at("accounts:enrol_app"),
    "accounts:security": at("accounts:security"),
    "accounts:prove": at("accounts:prove"),
    "accounts:recovery_codes": at("accounts:recovery_codes"),
    "accounts:factor": at("accounts:factor", args=lambda house: ("totp", house.factor.pk)),
    "accounts:let_factor_count": at("accounts:let_factor_count", args=lambda house: ("totp", house.elsewhere.pk)),
    "accounts:forgotten": at("accounts:forgotten"),
    "accounts:change_password": at("accounts:change_password"),
    "accounts:profile": at("accounts:profile"),
    "accounts:welcome": at("accounts:welcome"),
    "accounts:invitations": at("accounts:invitations"),
    "accounts:invite": at("accounts:invite", "", "?preset=approver"),
    "accounts:accept": at("accounts:accept"),
    "accounts:revoke_invitation": at("accounts:revoke_invitation", args=lambda house: (house.invitation.pk,)),
    "accounts:recoveries": at("accounts:recoveries"),
    "accounts:members": at("accounts:members"),
    "accounts:member": lambda house: [
        reverse("accounts:member", args=[one.pk])
        for one in (house.owner, house.world.members["cleo"], house.unverified, house.suspended)
    ],
    "accounts:change_rights": at("accounts:change_rights", args=member),
    "accounts:review_identity": at("accounts:review_identity", args=lambda house: (house.unverified.pk,)),
    "accounts:suspend_member": at("accounts:suspend_member", args=member),
    "accounts:end_member_sessions": at("accounts:end_member_sessions", args=member),
    "accounts:active_stops": at("accounts:active_stops"),
    "accounts:identity": at("accounts:identity"),
    "accounts:organization": at("accounts:organization"),
    "accounts:change_security": at("accounts:change_security"),
    "accounts:accounts": at("accounts:accounts"),
    "accounts:new_account": at("accounts:new_account"),
    "accounts:transfer": at("accounts:transfer"),
    "accounts:offer": at("accounts:offer"),
    "accounts:session_left": at("accounts:session_left"),
    "accounts:here": at("accounts:here"),
    "accounts:service_users": at("accounts:service_users", "", "?state=live&permission=withdraw-funds"),
    "accounts:service_users_csv": at("accounts:service_users_csv"),
    "accounts:new_service_user": at("accounts:new_service_user"),
    "accounts:key_risk": at("accounts:key_risk"),
    "accounts:service_user": lambda house: [
        reverse("accounts:service_user", args=[name])
        for name in ("treasury-bot", "rotating-bot", "waiting-bot", "paused-bot", "readonly-bot")
    ],
    "accounts:change_service_user": at("accounts:change_service_user", args=bot),
    "accounts:suspend": at("accounts:suspend", args=bot),
    "accounts:rotate_key": at("accounts:rotate_key", args=bot),
    "accounts:refused_calls": at("accounts:refused_calls", args=lambda house: ("treasury-bot", 1)),
    "accounts:end_overlap": at("accounts:end_overlap", args=key),
    "accounts:pause": at("accounts:pause", args=key),
    "accounts:revoke": at("accounts:revoke", args=key),
    "kraken:alarms": at("kraken:alarms"),
    "kraken:connect": at("kraken:connect"),
    "kraken:unknown_withdrawal": at("kraken:unknown_withdrawal", args=lost),
    "kraken:account": lambda house: [
        reverse("kraken:account", args=[each.pk]) for each in (house.vault, house.world.account)
    ],
    "kraken:reconnect": at("kraken:reconnect", args=lambda house: (house.world.account.pk,)),
    "kraken:disconnect": at("kraken:disconnect", args=lambda house: (house.vault.pk,)),
    "kraken:add_credential": at("kraken:add_credential", args=lambda house: (house.vault.pk,)),
    "kraken:replace_credential": at("kraken:replace_credential", args=credential),
    "kraken:remove_credential": at("kraken:remove_credential", args=credential),
    "policies:inbox": at("policies:inbox", "", *TABS),
    "policies:batch": batch,
    "dashboard:read_only": at("dashboard:read_only", "?shown=1"),
    "policies:inbox_count": at("policies:inbox_count"),
    "policies:request": requests("policies:request", "", "?tab=viewable"),
    "policies:ask_again": lambda house: [
        reverse("policies:ask_again", args=[house.requests[which].reference]) for which in ("rejected",)
    ],
    "policies:freezes": at("policies:freezes"),
    "policies:freeze": at("policies:freeze", "", "?where=manage_access&address=cold"),
    "policies:freeze_longer": at("policies:freeze_longer", args=frozen),
    "policies:lift_freeze": at("policies:lift_freeze", args=frozen),
    "policies:groups": at("policies:groups"),
    "policies:new_group": at("policies:new_group", "", "?ticks=1&members=1"),
    "policies:group": at("policies:group", "", "?ticks=1&members=1", args=group),
    "policies:policies": at("policies:policies", "", "?who=bot-1"),
    "policies:configure": each_plain("policies:configure"),
    "policies:remove": each_workflow("policies:remove"),
    "policies:roll_out": each_plain("policies:roll_out", "?approvals=2"),
    "policies:rehearse": each_workflow("policies:rehearse"),
    "policies:rules": each_workflow("policies:rules"),
    "policies:new_rule": each_workflow("policies:new_rule"),
    "policies:review": each_workflow("policies:review"),
    "policies:rule": rule_of("policies:rule"),
    "policies:matching": rule_of("policies:matching"),
    "policies:simulate": simulated,
    "policies:replay_now": at("policies:replay_now", args=replayed),
    "policies:replay": at("policies:replay", args=replayed),
    "policies:lock": lambda house: [
        reverse("policies:lock", args=[workflow]) for workflow in ("manage_access", "initiate_withdrawal")
    ],
    "policies:unlock": lambda house: [reverse("policies:unlock", args=["manage_policies"])],
    "treasury:addresses": at("treasury:addresses", "", "?asset=XXBT&name=cold"),
    "treasury:new_address": new_address,
    "treasury:rename_address": at("treasury:rename_address", args=address),
    "treasury:remove_address": at("treasury:remove_address", args=address),
    "treasury:balances": at("treasury:balances", "", "?asset=XXBT"),
    "treasury:account_balances": at("treasury:account_balances", args=lambda house: (house.world.account.pk,)),
    "treasury:account_orders": at("treasury:account_orders", args=lambda house: (house.world.account.pk,)),
    "treasury:account_deposits": at("treasury:account_deposits", args=lambda house: (house.world.account.pk,)),
    "treasury:try_deposit": at("treasury:try_deposit", args=lambda house: (house.world.account.pk,)),
    "treasury:withdrawals": at("treasury:withdrawals", "", "?state=pending&asset=XXBT"),
    "treasury:withdrawals_now": at("treasury:withdrawals_now"),
    "treasury:new_withdrawal": lambda house: [
        reverse("treasury:new_withdrawal") + query for query in ("", f"?address={address(house)[0]}")
    ],
    "treasury:preview_withdrawal": preview,
    "treasury:review_withdrawal": review,
    "treasury:withdrawal": of_withdrawal("treasury:withdrawal"),
    "treasury:withdrawal_stage": of_withdrawal("treasury:withdrawal_stage"),
    "treasury:withdrawal_now": of_withdrawal("treasury:withdrawal_now"),
}
# Who reads a page that is not for the Owner.
READERS: Final = {"accounts:offer": "ben"}
