"""Mail about an alarm, once, to everybody who approves there; no choice of theirs keeps it away."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django_tasks import task

from accounts.models import Member
from portal.audit.record import encoded
from portal.core.display.phrases import dated
from portal.jobs import mail
from portal.jobs.isolated_loop import each
from portal.venues.kraken.alarms import reach
from portal.venues.kraken.models import Alarm


@task()
def tell(alarm_id: int) -> None:
    """Write to them, unless that was done."""
    # Whoever moves the mark queues the mails: both or neither.
    with transaction.atomic():
        if not Alarm.objects.filter(pk=alarm_id, mailed_at=None).update(mailed_at=timezone.now()):
            return
        alarm = Alarm.objects.select_related("account", "organization").get(pk=alarm_id)

        def write(reader: Member) -> int:
            zone = ZoneInfo(reader.user.time_zone)
            with transaction.atomic(), translation.override(reader.user.language), timezone.override(zone):
                mail.send("alarm", to=[reader.user.email], context=_words(alarm, reader))
            return 1

        each(reach.written_to(alarm), write, what=f"write to one reader about alarm {alarm.pk}")


def _words(alarm: Alarm, reader: Member) -> dict[str, object]:
    return {
        "name": reader.user.name,
        "organization": encoded(alarm.organization.name),
        "account": encoded(alarm.account.name),
        "title": alarm.get_kind_display(),
        "said": alarm.said,
        "at": f"{dated(timezone.localtime(alarm.raised_at))} ({timezone.get_current_timezone_name()})",
        # With its Organization: the reader may be signed in at another one.
        "link": f"{settings.BASE_URL}{reverse('kraken:alarms')}?of={alarm.organization_id}",
    }
