"""Asking to connect an Account, to change its credentials, and to disconnect it."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.forecast import Told, forecast
from accounts.models import Account
from policies.access import needs
from policies.changes import propose
from policies.models import ChangeRequest
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest
from portal.venues.kraken import exchanges
from portal.venues.kraken.connection import wording
from portal.venues.kraken.connection.asking import ask_to_add, ask_to_connect, ask_to_disconnect, open_orders
from portal.venues.kraken.connection.forms import ConnectForm, CredentialForm, LessForm
from portal.venues.kraken.connection.params import RemoveCredential
from portal.venues.kraken.connection.replacing import remove_credential
from portal.venues.kraken.connection.views.account import connection_of, credential_of
from portal.venues.kraken.models import Purpose

AFTERWARDS = "The portal signs with these keys from then on; no bot ever holds them."
LESS_AFTERWARDS = "The secret is forgotten here. Delete the key at the exchange as well."


@sensitive_post_parameters("rest_secret", "withdraw_secret", "code")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def connect(request: MemberRequest) -> HttpResponse:
    """Ask for a new Account that is one at an exchange."""
    form = ConnectForm(_posted(request), step_up=request.step_up)
    return _connecting(request, form, None)


@sensitive_post_parameters("rest_secret", "withdraw_secret", "code")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def reconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask that an Account which was disconnected is connected again, to the same account there."""
    known = connection_of(request, pk, is_open=False)
    initial = {"tier": known.tier}
    form = ConnectForm(
        _posted(request), step_up=request.step_up, account=known.account, exchange=known.exchange, initial=initial
    )
    return _connecting(request, form, known.account)


@sensitive_post_parameters("secret", "code")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def add_credential(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for one more credential."""
    connection = connection_of(request, pk)
    purpose = Purpose.WITHDRAW if request.GET.get("purpose") == Purpose.WITHDRAW else Purpose.REST
    form = CredentialForm(_posted(request), step_up=request.step_up, initial={"purpose": purpose.value})
    answer = answer_to(
        request,
        form,
        lambda: ask_to_add(request.member, connection, form.typed(), note=form.cleaned_data["note"]),
        done=lambda _: reverse("kraken:account", args=[pk]),
    )
    context = {"form": form, "connection": connection, "told": _forecast(request, AFTERWARDS)}
    return answer or render(request, "kraken/credential.html", context)


@sensitive_post_parameters("secret", "code")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def replace_credential(request: MemberRequest, pk: int, credential: int) -> HttpResponse:
    """Ask that another credential takes the place of one."""
    connection, old = connection_of(request, pk), credential_of(request, pk, credential)
    form = CredentialForm(_posted(request), step_up=request.step_up, replaces=old)
    answer = answer_to(
        request,
        form,
        lambda: ask_to_add(request.member, connection, form.typed(), replaces=old, note=form.cleaned_data["note"]),
        done=lambda _: reverse("kraken:account", args=[pk]),
    )
    context = {"form": form, "connection": connection, "old": old, "told": _forecast(request, AFTERWARDS)}
    return answer or render(request, "kraken/credential.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def remove(request: MemberRequest, pk: int, credential: int) -> HttpResponse:
    """Ask for a credential less."""
    connection, row = connection_of(request, pk), credential_of(request, pk, credential)
    form = LessForm(_posted(request), step_up=request.step_up)
    params = RemoveCredential(pk, connection.account.name, row.pk, row.public, Purpose(row.purpose))
    answer = answer_to(
        request,
        form,
        lambda: propose(remove_credential, actor=request.member, params=params, note=form.cleaned_data["note"]),
        done=lambda _: reverse("kraken:account", args=[pk]),
    )
    withdraws = row.purpose == Purpose.WITHDRAW
    context = {
        "form": form,
        "connection": connection,
        "row": row,
        "beware": wording.left_behind(pk) if withdraws else (),
        "told": _forecast(request, LESS_AFTERWARDS),
    }
    return answer or render(request, "kraken/remove_credential.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def disconnect(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask that nothing of the Account is spoken for any more, after looking at what is open."""
    connection = connection_of(request, pk)
    form = LessForm(_posted(request), step_up=request.step_up)
    answer = answer_to(
        request,
        form,
        lambda: ask_to_disconnect(request.member, connection, orders=open_orders(pk), note=form.cleaned_data["note"]),
        done=lambda _: reverse("kraken:account", args=[pk]),
    )
    if answer:
        return answer
    context = {
        "form": form,
        "connection": connection,
        "beware": (*wording.left_behind(pk), *wording.of_orders(open_orders(pk))),
        "told": _forecast(request, "Every secret of it is forgotten here. The Account stays, with its history."),
    }
    return render(request, "kraken/disconnect.html", context)


def _connecting(request: MemberRequest, form: ConnectForm, account: Account | None) -> HttpResponse:
    answer = answer_to(
        request,
        form,
        lambda: ask_to_connect(request.member, form.typed(), note=form.cleaned_data["note"]),
        done=_page,
    )
    if answer:
        return answer
    context = {
        "form": form,
        "account": account,
        "exchange": form.known_exchange,
        "is_possible": bool(exchanges.exchanges()),
        "told": _forecast(request, AFTERWARDS),
    }
    return render(request, "kraken/connect.html", context)


def _page(change: ChangeRequest) -> str:
    """The page of the Account that was connected at once."""
    made = Account.objects.get(organization=change.organization_id, name=change.params["name"])
    return reverse("kraken:account", args=[made.pk])


def _forecast(request: MemberRequest, afterwards: str) -> Told:
    return forecast(request.member, account_id=None, afterwards=afterwards, protected=True)


def _posted(request: MemberRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
