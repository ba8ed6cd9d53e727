"""From a form that asks for something governed to where it leads: what was done at once, or the request that waits."""

from collections.abc import Callable
from typing import TypeAlias

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from policies.models import ChangeRequest, State
from portal.core.errors import DomainError
from portal.core.forms import Form
from portal.core.web.http import MemberRequest

# A page by name or address, or what gives it once it is known what was asked.
Page: TypeAlias = str | Callable[[ChangeRequest], str]


def answer_to(
    request: MemberRequest, form: Form, ask: Callable[[], ChangeRequest], *, done: Page
) -> HttpResponse | None:
    """Ask once the form is right, and lead on as `onward` does.

    None while there is something to say on the form, also what the operation refused: then the page is shown again.
    """
    if not form.is_valid():
        return None
    try:
        change = ask()
    except DomainError as error:
        form.refuse(error)
        return None
    return onward(request, change, done=done)


def onward(request: MemberRequest, change: ChangeRequest, *, done: Page) -> HttpResponse:
    """Say what became of it, and lead to `done` if it was carried out at once, else to the request that waits."""
    messages.success(request, change.receipt)
    if change.state != State.EXECUTED:
        return redirect("policies:request", reference=change.reference)
    return redirect(done if isinstance(done, str) else done(change))
