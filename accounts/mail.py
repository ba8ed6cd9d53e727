"""Mail: written from templates, sent once what it tells of is true, and never in the way of a request."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates

from accounts.links import absolute

SUBJECT: Final = "Subject: "
logger = logging.getLogger(__name__)
# One sender beside the requests: how long a mail server takes must tell nobody whether there was a mail to send.
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")


def send(template: str, *, to: Sequence[str], context: Mapping[str, object]) -> None:
    """Write `templates/mail/<template>.txt` and send it to each of `to` alone, after the transaction commits.

    The first line of the template is `Subject: …`. Whatever goes wrong in sending is logged, without what was written.
    """
    subject, body = _written(template, context)
    for address in to:
        message = EmailMessage(subject, body, to=[address])
        transaction.on_commit(partial(_hand_over, template, message), robust=True)


def settle() -> None:
    """Wait until everything handed over so far was sent or has failed: for commands, which end."""
    _sender.submit(lambda: None).result()


def _written(template: str, context: Mapping[str, object]) -> tuple[str, str]:
    engine = engines["django"]
    if not isinstance(engine, DjangoTemplates):
        raise TypeError("Mail is written with Django's own templates.")
    known = {"product": settings.PRODUCT_NAME, "portal": absolute("/"), **context}
    # Plain text: nothing in it is markup, so nothing is escaped.
    text = engine.engine.get_template(f"mail/{template}.txt").render(Context(known, autoescape=False))
    head, _, body = text.partition("\n")
    if not head.startswith(SUBJECT):
        raise ValueError(f"mail/{template}.txt does not begin with its subject.")
    return head.removeprefix(SUBJECT).strip(), body.strip() + "\n"


def _hand_over(template: str, message: EmailMessage) -> None:
    _sender.submit(_deliver, template, message)


def _deliver(template: str, message: EmailMessage) -> None:
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - whatever a mail server can do wrong
        # Neither the text nor a traceback: both could hold the link.
        logger.error("Mail %s was not sent: %s", template, type(error).__name__)  # noqa: TRY400
