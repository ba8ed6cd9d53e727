"""Closing a socket that is open with a key of a Service User."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.api_keys.streaming import sockets
from accounts.views.service_users.service_user import bot_of
from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def close(request: MemberRequest, name: str, number: int) -> HttpResponse:
    """Have it closed at once; its key goes on working. Whatever is not this bot's is answered as if it were gone."""
    bot = bot_of(request, name)
    try:
        socket = sockets.ask_to_close(number, request.member, of=bot)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            f"The socket of {socket.api_key.short} is being closed.\n"
            "Its key goes on working, so the bot may open another one. To keep it out, pause the key.",
        )
    return redirect("accounts:service_user", bot.name)
