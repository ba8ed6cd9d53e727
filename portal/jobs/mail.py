"""Mail: written from templates, queued in the transaction it tells of, and sent by `manage.py work`.

What is rolled back is never sent, what is committed is never forgotten, and no request waits for a mail server, so that
nobody learns from its slowness whether there was a mail to send. A queued mail is sealed: it can hold a link (SE-4).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, Min, Q
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult, get_date_max

from portal.core.observing.meters import Counter
from portal.core.observing.spans import span
from portal.core.secrets import sealing
from portal.jobs import worker

SUBJECT: Final = "Subject: "
PLACE_LENGTH: Final = 16
TRIED: Final = 2
# How long to wait before each further try; then a mail is given up.
AGAIN_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
SENT: Final = Counter(
    "countersign_mail_total",
    "Mails that were sent, that the mail server did not take for now, and that were given up.",
    {"result": ("sent", "failed", "given_up")},
)
logger = logging.getLogger(__name__)


class Letter(msgspec.Struct, frozen=True):
    """One mail to one address."""

    template: str
    to: str
    subject: str
    body: str


def send(template: str, *, to: Sequence[str], context: Mapping[str, object]) -> None:
    """Write `templates/mail/<template>.txt` and queue it for each of `to` alone, in the caller's transaction.

    The first line of the template is `Subject: …`.
    """
    subject, body = _written(template, context)
    for address in to:
        letter = Letter(template=template, to=address, subject=subject, body=body)
        place = sealing.token(PLACE_LENGTH)
        deliver.enqueue(place, sealing.seal(msgspec.json.encode(letter), place=place_of(place)))


def is_waiting_since(moment: datetime) -> bool:
    """Whether a mail that was due at `moment` still has not been tried."""
    waiting = DBTaskResult.objects.ready().filter(task_path=deliver.module_path, enqueued_at__lt=moment)
    return waiting.filter(Q(run_after=get_date_max()) | Q(run_after__lt=moment)).exists()


def keeps_failing() -> bool:
    """Whether a mail waits that the mail server did not take twice."""
    waiting = DBTaskResult.objects.filter(task_path=deliver.module_path, status=TaskResultStatus.READY)
    return waiting.filter(args_kwargs__args__2__gte=TRIED).exists()


def waiting(now: datetime) -> tuple[int, datetime | None, int]:
    """How many mails wait, when the oldest that is due was queued, and how many were not taken once already."""
    rows = DBTaskResult.objects.filter(task_path=deliver.module_path, status=TaskResultStatus.READY)
    is_due = Q(run_after=get_date_max()) | Q(run_after__lte=now)
    found = rows.aggregate(
        count=Count("pk"),
        oldest=Min("enqueued_at", filter=is_due),
        retried=Count("pk", filter=Q(args_kwargs__args__2__gte=1)),
    )
    return found["count"], found["oldest"], found["retried"]


def settle() -> None:
    """Send what is queued and due: for commands and tests."""
    worker.run_ready()


@task()
def deliver(place: str, sealed: str, attempt: int = 0) -> None:
    """Send one sealed mail; what goes wrong is logged without what was written, and tried again later."""
    letter = msgspec.json.decode(sealing.unseal(sealed, place=place_of(place)), type=Letter)
    try:
        with span("mail", {"countersign.mail": letter.template}):
            EmailMessage(letter.subject, letter.body, to=[letter.to]).send()
    except Exception as error:  # noqa: BLE001 - whatever a mail server can do wrong
        # Neither the text nor a traceback: both could hold the link.
        logger.error("Mail %s was not sent: %s", letter.template, type(error).__name__)  # noqa: TRY400
        SENT.add("failed" if attempt < len(AGAIN_AFTER) else "given_up")
        if attempt < len(AGAIN_AFTER):
            later = deliver.using(run_after=timezone.now() + AGAIN_AFTER[attempt])
            later.enqueue(place, sealed, attempt + 1)
    else:
        SENT.add("sent")


def place_of(name: str) -> str:
    """Where a queued mail belongs: it opens nowhere else."""
    return f"mail:{name}"


def _written(template: str, context: Mapping[str, object]) -> tuple[str, str]:
    engine = engines["django"]
    if not isinstance(engine, DjangoTemplates):
        raise TypeError("Mail is written with Django's own templates.")
    known = {"product": settings.PRODUCT_NAME, "portal": f"{settings.BASE_URL}/", **context}
    # Plain text: nothing in it is markup, so nothing is escaped.
    text = engine.engine.get_template(f"mail/{template}.txt").render(Context(known, autoescape=False))
    head, _, body = text.partition("\n")
    if not head.startswith(SUBJECT):
        raise ValueError(f"mail/{template}.txt does not begin with its subject.")
    return head.removeprefix(SUBJECT).strip(), body.strip() + "\n"
