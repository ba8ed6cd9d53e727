"""A key's row is updated by every call of its bot: the wall around it is looked at after what it guards has changed.

It is the rule of 0002, which other migrations name; a trigger before an update would lock the row at each call.
"""

from django.db import migrations

from portal.core.database.tenant_triggers import Belonging, after_updates

API_KEY = Belonging(
    "accounts_apikey",
    ("service_user_id", "made_by_id"),
    """EXISTS (SELECT 1 FROM accounts_serviceuser JOIN accounts_member
        ON accounts_member.organization_id = accounts_serviceuser.organization_id
        WHERE accounts_serviceuser.id = NEW.service_user_id AND accounts_member.id = NEW.made_by_id)""",
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_key_to_claim")]

    operations = [after_updates(API_KEY)]
