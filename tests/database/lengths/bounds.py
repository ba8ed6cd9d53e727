"""What bounds each column of text: the form, the list or the number that its values come from."""

from collections.abc import Iterable

from django import forms
from django.apps import apps
from django.conf import settings
from django.db import models

from accounts.api_keys import expiry
from accounts.api_keys.refused_calls import Reason
from accounts.api_keys.streaming import sockets, use
from accounts.authentication import notifications
from accounts.forms.authentication import passwords
from accounts.forms.members import invitations, profile
from accounts.forms.organizations import setup
from accounts.forms.security import factors
from accounts.known_networks import network_of
from accounts.members.identity.checks import PROVIDER
from accounts.models.service_user import PURPOSE_LENGTH
from accounts.organizations.settings import ACCOUNT_NAME_LENGTH
from policies import notes
from policies.changes import proposals, transitions
from policies.forms import freezes
from policies.freezes.places import Place
from policies.models import group, replay
from policies.registry import all_operations
from policies.replay import runs as replay_runs
from policies.rules.language import SERVICE_USER, initiator_id
from policies.workflows import Workflow
from portal.api import permissions
from portal.api.protocol import parameter_types
from portal.api.protocol.envelope import Error
from portal.audit import record as recording
from portal.audit.kinds import EventKind
from portal.core import actors, call_origin
from portal.core.factors import WORDS as FACTORS
from portal.core.secrets.sealing import digest, token
from portal.jobs import periodic
from portal.treasury import destinations
from portal.treasury.destinations.identity import identity
from portal.treasury.forms import drafts
from portal.treasury.models import Address
from portal.treasury.models.address import KEY_LENGTH
from portal.treasury.operations.freezing import mark_of
from portal.treasury.references import new_reference
from portal.venues.kraken import bot_models, watch_models, withdrawal_rows
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.connection.forms import CredentialForm
from portal.venues.kraken.exchanges import NAME_LENGTH
from portal.venues.kraken.models import (
    OWNER_LENGTH,
    PUBLIC_LENGTH,
    SAID_LENGTH,
    SUBJECT_LENGTH,
    TROUBLE_LENGTH,
    Credential,
    Purpose,
)
from portal.venues.kraken.reading import catalogue as catalogue_of_exchange
from portal.venues.kraken.watching import rounds
from portal.venues.kraken.withdrawals import methods
from portal.venues.paper import catalogue, networks
from portal.venues.paper.earn.strategies import STRATEGIES
from portal.venues.paper.exports.requests import CODE_LENGTH
from portal.venues.paper.ledger.models import EntryKind
from portal.venues.paper.orders import cancellation
from portal.venues.paper.orders.changes import new_id
from portal.venues.paper.prices.source import LONGEST_KEY
from portal.venues.paper.ranks.models import SPANS
from portal.venues.types import (
    EarnOperation,
    ExportFormat,
    ExportStatus,
    OrderKind,
    OrderStatus,
    Part,
    Report,
    Side,
    TimeInForce,
)

OURS = ("accounts", "audit", "kraken", "paper", "policies", "treasury", "work")
ADDRESS = "2001:db8:1111:2222:3333:4444:5555:6666"
NETWORK = network_of(ADDRESS)
NUMBER = str(2**63 - 1)
DIGEST = digest("")
ASSETS = [asset.id for asset in catalogue.ASSETS]
RANKED_PARTS = [
    *(f"{kind}/{asset}" for kind in EntryKind.values for asset in ASSETS),
    f"userref:{-(2**31)}",
    "id:" + "f" * 36,
    f"span:{SPANS[-1]}",
]
PAIRS = [pair.id for pair in catalogue.PAIRS]
METHODS = [method.name for method in networks.METHODS]
NETWORKS = [*destinations.NETWORKS, *(method.network for method in networks.METHODS)]
CALLED = [*permissions.PERMISSIONS, "unknown"]
WORKFLOWS = list(Workflow)
ACTORS = [actors.MEMBER, actors.SERVICE_USER, actors.OPERATOR, actors.PORTAL, actors.STRANGER]
OPERATIONS = all_operations()


def typed(form: type[forms.Form], name: str) -> int:
    """The most that people may type there."""
    field = form.base_fields[name]
    assert isinstance(field, forms.CharField)
    assert field.max_length is not None
    return field.max_length


def holds(model: type[models.Model], name: str) -> int:
    """As many letters as that column takes, whose own bound stands below."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.CharField)
    assert field.max_length is not None
    return field.max_length


# What may stand in each column: every value of a closed set, the longest of a form of ours, or the number of letters
# that the code which writes it lets through.
BOUNDS: dict[str, int | Iterable[str]] = {
    "accounts.AccessLink.token_digest": [DIGEST],
    "accounts.Account.name": ACCOUNT_NAME_LENGTH,
    "accounts.Account.venue": ["paper", "kraken"],
    "accounts.ApiKey.public": 56,
    "accounts.ApiKey.last_used_ip": [ADDRESS],
    "accounts.ApiKey.last_used_method": [*CALLED, use.SOCKET],
    "accounts.Attempts.key": [
        f"source:{NETWORK}",
        f"links-from:{NETWORK}",
        f"codes:{NUMBER}",
        f"exchange:{NUMBER}",
        *(f"{kind}:{DIGEST[:40]}" for kind in ("account", "pair", "links-to")),
    ],
    "accounts.Authenticator.name": factors.NAME_LENGTH,
    "accounts.Custodian.reason": [
        "made it",
        "rotated it in",
        "rotated it",
        "rotated it out",
        "revealed it",
        "widened it",
    ],
    "accounts.IdentityCheck.provider": [PROVIDER.name],
    "accounts.IdentityCheck.reason": notes.MAX_LENGTH,
    "accounts.Invitation.email": typed(invitations.InviteForm, "email"),
    "accounts.Invitation.name": typed(invitations.InviteForm, "name"),
    "accounts.Invitation.token_digest": [DIGEST],
    "accounts.KeyNotice.kind": [*expiry.WORDS],
    "accounts.KeyUse.kind": [*Error, *(permissions.kind_of(method) for method in permissions.PERMISSIONS)],
    "accounts.KnownSource.network": [NETWORK, ADDRESS],
    "accounts.Organization.name": typed(setup.OrganizationForm, "organization"),
    "accounts.OwnershipOffer.request": proposals.REFERENCE_LENGTH,
    "accounts.Passkey.name": factors.NAME_LENGTH,
    "accounts.Passkey.aaguid": ["00000000-0000-0000-0000-000000000000"],
    "accounts.Passkey.credential_id_sha256": [DIGEST],
    "accounts.RecoveryCode.digest": [DIGEST],
    "accounts.RefusedCall.method": [*CALLED, *use.METHODS],
    "accounts.RefusedCall.answer": [*Error],
    "accounts.RefusedCall.reason": [*Reason],
    "accounts.RefusedCall.source": [ADDRESS],
    "accounts.SecurityNotice.kind": [*notifications.WORDS],
    "accounts.ServiceUser.name": 32,
    "accounts.ServiceUser.purpose": PURPOSE_LENGTH,
    "accounts.Session.session_key": 32,
    "accounts.Session.source": [ADDRESS],
    "accounts.Session.agent": 200,
    "accounts.Session.factor": [*FACTORS],
    "accounts.StreamSocket.process": sockets.PROCESS_LENGTH,
    "accounts.StreamSocket.source": [ADDRESS],
    "accounts.StreamToken.digest": [DIGEST],
    "accounts.User.password": 128,
    "accounts.User.email": typed(passwords.ForgottenForm, "email"),
    "accounts.User.name": typed(profile.ProfileForm, "name"),
    "accounts.User.time_zone": [zone for zone, _ in profile.zones()],
    "accounts.User.language": [code for code, _ in settings.LANGUAGES],
    "audit.AuditEvent.kind": [*EventKind],
    "audit.AuditEvent.workflow": WORKFLOWS,
    "audit.AuditEvent.actor_kind": ACTORS,
    "audit.AuditEvent.actor_label": recording.LABEL_LENGTH,
    "audit.AuditEvent.subject_kind": [model._meta.model_name or "" for model in apps.get_models()],
    "audit.AuditEvent.subject_label": recording.LABEL_LENGTH,
    "audit.AuditEvent.outcome": ["success", "refused", "failed"],
    "audit.AuditEvent.source": [ADDRESS],
    "audit.AuditEvent.via": [f"session {DIGEST[:12]}", "key ABCD…WXYZ", f"key {'x' * 56}"],
    "audit.AuditEvent.request_id": [call_origin.new_request_id()],
    "audit.AuditEvent.previous": [DIGEST],
    "audit.AuditEvent.hash": [DIGEST],
    "audit.Chain.name": [f"organization-{NUMBER}", "installation"],
    "audit.Chain.head": [DIGEST],
    "kraken.Alarm.acknowledged_by": typed(profile.ProfileForm, "name"),
    "kraken.Alarm.said": SAID_LENGTH,
    "kraken.Alarm.subject": SUBJECT_LENGTH,
    "kraken.BotExport.code": bot_models.CODE_LENGTH,
    "kraken.BotExport.report": list(Report),
    "kraken.Connection.exchange": NAME_LENGTH,
    "kraken.Credential.exchange": NAME_LENGTH,
    "kraken.Credential.label": max(typed(CredentialForm, "label"), *(len(each.label) for each in Purpose)),
    "kraken.Credential.owner": OWNER_LENGTH,
    "kraken.Credential.public": PUBLIC_LENGTH,
    "kraken.Credential.request": [token(proposals.REFERENCE_LENGTH)],
    "kraken.Credential.stopped_because": TROUBLE_LENGTH,
    "kraken.Look.trouble": TROUBLE_LENGTH,
    "kraken.SeenWithdrawal.refid": watch_models.LISTED_LENGTH,
    "kraken.Snapshot.exchange": NAME_LENGTH,
    "kraken.Snapshot.part": [
        *Part,
        f"{Part.WORTH} {'x' * 64}",
        *catalogue_of_exchange.METHODS,
        listing.PART,
        methods.PART,
    ],
    "kraken.Snapshot.trouble": TROUBLE_LENGTH,
    "kraken.Watch.page": 500,
    "kraken.Watch.part": [*rounds.EVERY, rounds.part_of(Credential(pk=2**63 - 1))],
    "kraken.Watch.trouble": watch_models.MISHAP_LENGTH,
    # What is sent goes to an Address, whose columns hold it already.
    **{
        f"kraken.Withdrawal.{name}": holds(Address, name)
        for name in ("asset", "key", "address", "method", "network", "memo")
    },
    "kraken.Withdrawal.reference": [new_reference()],
    "kraken.Withdrawal.refid": withdrawal_rows.REFID_LENGTH,
    "kraken.Withdrawal.request": [token(proposals.REFERENCE_LENGTH)],
    "kraken.Withdrawal.status": 20,
    "kraken.Withdrawal.status_prop": 20,
    "kraken.Withdrawal.trouble": TROUBLE_LENGTH,
    "kraken.Withdrawal.txid": 200,
    "paper.Balance.asset": ASSETS,
    "paper.Deposit.reference": [new_reference()],
    "paper.Deposit.asset": ASSETS,
    "paper.Deposit.method": METHODS,
    "paper.Deposit.network": NETWORKS,
    "paper.Deposit.address": 100,
    "paper.DepositAddress.asset": ASSETS,
    "paper.DepositAddress.method": METHODS,
    "paper.DepositAddress.address": [f"PAPER {NUMBER} {2**31} ABCDEF", "tb1" + "q" * 60],
    "paper.Entry.reference": [new_reference(), new_id("T")],
    "paper.Export.code": CODE_LENGTH,
    "paper.Export.report": [*Report],
    "paper.Export.format": [*ExportFormat],
    "paper.Export.description": parameter_types.Text().longest,
    "paper.Export.status": [*ExportStatus],
    "paper.Holding.strategy": [strategy.id for strategy in STRATEGIES],
    "paper.Move.operation": [*EarnOperation],
    "paper.Order.txid": [new_id("O")],
    "paper.Order.pair": PAIRS,
    "paper.Order.side": [*Side],
    "paper.Order.kind": [*OrderKind],
    "paper.Order.status": [*OrderStatus],
    "paper.Order.reason": [cancellation.REASON],
    "paper.Order.time_in_force": [*TimeInForce],
    "paper.Order.cl_ord_id": 36,
    "paper.Order.path": LONGEST_KEY,
    "paper.Posting.asset": ASSETS,
    "paper.Posting.ledger_id": [new_id("L")],
    "paper.Rank.key": RANKED_PARTS,
    "paper.RankCount.key": RANKED_PARTS,
    "paper.Trade.txid": [new_id("T")],
    "paper.TradingCounter.pair": PAIRS,
    "paper.Withdrawal.reference": [new_reference()],
    "paper.Withdrawal.asset": ASSETS,
    "paper.Withdrawal.key": KEY_LENGTH,
    "paper.Withdrawal.address": destinations.LONGEST,
    "paper.Withdrawal.method": METHODS,
    "paper.Withdrawal.network": NETWORKS,
    "paper.Withdrawal.memo": 100,
    "policies.ChangeRequest.reference": proposals.REFERENCE_LENGTH,
    "policies.ChangeRequest.operation": [operation.key for operation in OPERATIONS],
    "policies.ChangeRequest.subject": [
        f"invitation:{DIGEST}",
        f"service_user:{'x' * 32}",
        f"account:{'x' * 2 * ACCOUNT_NAME_LENGTH}",
        f"address:{NUMBER}:{'x' * KEY_LENGTH}",
    ],
    "policies.ChangeRequest.title": proposals.TITLE_LENGTH,
    # As many digits as 64 bits have, with a point.
    "policies.ChangeRequest.amount": [f"-0.{NUMBER}"],
    "policies.ChangeRequest.asset": [asset.code for asset in catalogue.ASSETS],
    "policies.ChangeRequest.initiator_label": typed(profile.ProfileForm, "name"),
    "policies.ChangeRequest.source": [ADDRESS],
    "policies.ChangeRequest.note": notes.MAX_LENGTH,
    "policies.ChangeRequest.digest": [DIGEST],
    "policies.ChangeRequest.ended_by": typed(profile.ProfileForm, "name"),
    "policies.ChangeRequest.reason": transitions.REASON_LENGTH,
    "policies.Group.name": group.NAME_LENGTH,
    "policies.Freeze.destination": [mark_of("Bitcoin", "3" * 200)],
    "policies.Freeze.ended_by": typed(profile.ProfileForm, "name"),
    "policies.Freeze.label": [
        Place(workflow, 1, "a" * ACCOUNT_NAME_LENGTH, DIGEST, "k" * KEY_LENGTH).label for workflow in WORKFLOWS
    ],
    "policies.Freeze.reason": typed(freezes.FreezeForm, "reason"),
    "policies.Replay.reference": replay_runs.REFERENCE_LENGTH,
    "policies.Replay.trouble": replay.TROUBLE_LENGTH,
    "policies.PolicyDraft.base": [DIGEST],
    "policies.Decision.reason": notes.MAX_LENGTH,
    "policies.Decision.digest": [DIGEST],
    "policies.Decision.factor": [*FACTORS],
    "treasury.Address.key": KEY_LENGTH,
    "treasury.Address.asset": ASSETS,
    "treasury.Address.method": METHODS,
    "treasury.Address.network": NETWORKS,
    "treasury.Address.address": destinations.LONGEST,
    "treasury.Address.memo": 100,
    "treasury.Address.added_by": typed(profile.ProfileForm, "name"),
    "treasury.Withdrawal.reference": [new_reference()],
    "treasury.Withdrawal.asset": ASSETS,
    "treasury.Withdrawal.asked_as": drafts.NAME_LENGTH,
    "treasury.Withdrawal.destination": [identity("n" * 40, "a" * destinations.LONGEST, "m" * 100)],
    "treasury.Withdrawal.initiator": [initiator_id(SERVICE_USER, 2**63 - 1)],
    "work.TaskTurn.name": [task.name for task in periodic.all_tasks()],
}
