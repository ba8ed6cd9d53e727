"""Offers that nobody answered in time, or that a later one followed, make room for the next."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F
from django.utils import timezone


def lapse(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    offers = apps.get_model("accounts", "OwnershipOffer").objects
    unanswered = offers.filter(accepted_at=None, declined_at=None)
    unanswered.filter(expires_at__lte=timezone.now()).update(lapsed_at=F("expires_at"))
    for organization_id in unanswered.values_list("organization_id", flat=True).distinct():
        left = unanswered.filter(organization_id=organization_id, lapsed_at=None).order_by("-pk")
        older = list(left.values_list("pk", flat=True))[1:]
        offers.filter(pk__in=older).update(lapsed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_offer_lapses")]
    operations = [migrations.RunPython(lapse, migrations.RunPython.noop, elidable=True)]
