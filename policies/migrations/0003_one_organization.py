"""Rights, requests and Decisions name only what is of their own Organization (security AZ-3).

On SQLite a later migration that rebuilds a table which these rules name is a `portal.core.database.sqlite_rebuild.KeepsTriggers`.
"""

from django.db import migrations

from portal.core.database.tenant_triggers import Belonging, hold

GRANT = Belonging(
    "policies_grant",
    ("member_id", "account_id"),
    """NEW.account_id IS NULL OR EXISTS (SELECT 1 FROM accounts_account JOIN accounts_member
        ON accounts_member.organization_id = accounts_account.organization_id
        WHERE accounts_account.id = NEW.account_id AND accounts_member.id = NEW.member_id)""",
)


OWN = "(NEW.{column} IS NULL OR EXISTS (SELECT 1 FROM {table} WHERE id = NEW.{column} AND organization_id = {ours}))"
OURS = "NEW.organization_id"
CHANGE = Belonging(
    "policies_changerequest",
    ("organization_id", "account_id", "member_id", "service_user_id", "api_key_id", "subject_member_id"),
    " AND ".join(
        (
            OWN.format(table="accounts_account", column="account_id", ours=OURS),
            OWN.format(table="accounts_member", column="member_id", ours=OURS),
            OWN.format(table="accounts_member", column="subject_member_id", ours=OURS),
            OWN.format(table="accounts_serviceuser", column="service_user_id", ours=OURS),
            """(NEW.api_key_id IS NULL OR EXISTS
                (SELECT 1 FROM accounts_apikey WHERE id = NEW.api_key_id AND service_user_id = NEW.service_user_id))""",
        )
    ),
)
DECISION = Belonging(
    "policies_decision",
    ("change_id", "member_id", "person_id"),
    """EXISTS (SELECT 1 FROM policies_changerequest JOIN accounts_member
        ON accounts_member.organization_id = policies_changerequest.organization_id
        WHERE policies_changerequest.id = NEW.change_id AND accounts_member.id = NEW.member_id
        AND accounts_member.user_id = NEW.person_id)""",
)


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_final_states")]

    operations = [hold(GRANT, CHANGE, DECISION)]
