"""What withdrawals from before are told by: when they ended, who asked, and where they lead. Their value nobody knew."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

from portal.treasury.destinations.identity import identity


def fill(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("treasury", "Withdrawal").objects
    changes = apps.get_model("policies", "ChangeRequest").objects.filter(pk=OuterRef("change_id"))
    ended = Subquery(changes.values("ended_at")[:1])
    rows.filter(change__state="executed", sent_at=None).update(sent_at=ended)
    rows.filter(change__ended_at__isnull=False, sent_at=None, released_at=None).update(released_at=ended)
    for kind in ("member", "service_user"):
        asked = Subquery(changes.values(named=Concat(Value(f"{kind}:"), Cast(f"{kind}_id", CharField())))[:1])
        rows.filter(**{"initiator": "", f"change__{kind}__isnull": False}).update(initiator=asked)
    for address in apps.get_model("treasury", "Address").objects.order_by("pk").iterator(1000):
        where = identity(address.network, address.address, address.memo)
        rows.filter(address=address, destination="").update(destination=where)


class Migration(migrations.Migration):
    dependencies = [("treasury", "0003_what_rules_know")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
