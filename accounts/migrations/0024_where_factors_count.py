"""What people hold counts where it did until now: in every place of theirs. From here on the database holds that a
factor counts in places of its own person alone.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from portal.core.belonging import Belonging, hold

RULE = """EXISTS (SELECT 1 FROM accounts_factor JOIN accounts_member
    ON accounts_member.user_id = accounts_factor.user_id
    WHERE accounts_factor.id = NEW.factor_id AND accounts_member.id = NEW.member_id)"""
MODELS = {"Authenticator": "authenticator", "Passkey": "passkey", "RecoveryCode": "recoverycode"}


def count_everywhere(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    members: dict[int, list[int]] = {}
    for pk, user_id in apps.get_model("accounts", "Member").objects.values_list("pk", "user_id"):
        members.setdefault(user_id, []).append(pk)
    for model, name in MODELS.items():
        through = apps.get_model("accounts", model).places.through
        rows = apps.get_model("accounts", model).objects.values_list("pk", "user_id")
        through.objects.bulk_create(
            through(**{f"{name}_id": pk, "member_id": member})
            for pk, user_id in rows.iterator()
            for member in members.get(user_id, ())
        )


def name_the_place(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """A link that is on its way opens the place that it would have opened."""
    members = apps.get_model("accounts", "Member").objects.filter(removed_at=None).order_by("-pk")
    oldest = dict(members.values_list("user_id", "pk"))
    links = apps.get_model("accounts", "AccessLink").objects.filter(purpose="enrol", used_at=None)
    for link in links.filter(user__in=list(oldest)):
        link.member_id = oldest[link.user_id]
        link.save(update_fields=["member"])


def nothing(_apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Going back, the tables go."""


def own(name: str) -> Belonging:
    return Belonging(
        f"accounts_{name}_places",
        (f"{name}_id", "member_id"),
        RULE.replace("factor", name),
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0023_factors_count_in_places")]

    operations = [
        hold(*(own(name) for name in MODELS.values())),
        migrations.RunPython(count_everywhere, nothing),
        migrations.RunPython(name_the_place, nothing),
    ]
