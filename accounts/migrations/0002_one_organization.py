"""A bot, its keys and their custodians belong to one Organization, a factor counts where its person is (security AZ-3).

On SQLite a later migration that rebuilds a table which these rules name is a `portal.core.database.sqlite_rebuild.KeepsTriggers`.
"""

from django.db import migrations

from portal.core.database.tenant_triggers import Belonging, hold

SERVICE_USER = Belonging(
    "accounts_serviceuser",
    ("organization_id", "account_id"),
    "EXISTS (SELECT 1 FROM accounts_account WHERE id = NEW.account_id AND organization_id = NEW.organization_id)",
)
API_KEY = Belonging(
    "accounts_apikey",
    ("service_user_id", "made_by_id"),
    """EXISTS (SELECT 1 FROM accounts_serviceuser JOIN accounts_member
        ON accounts_member.organization_id = accounts_serviceuser.organization_id
        WHERE accounts_serviceuser.id = NEW.service_user_id AND accounts_member.id = NEW.made_by_id)""",
)
CUSTODIAN = Belonging(
    "accounts_custodian",
    ("api_key_id", "member_id"),
    """EXISTS (SELECT 1 FROM accounts_apikey JOIN accounts_serviceuser
        ON accounts_serviceuser.id = accounts_apikey.service_user_id JOIN accounts_member
        ON accounts_member.organization_id = accounts_serviceuser.organization_id
        WHERE accounts_apikey.id = NEW.api_key_id AND accounts_member.id = NEW.member_id)""",
)
FACTORS = tuple(
    Belonging(
        f"accounts_{factor}_places",
        (f"{factor}_id", "member_id"),
        f"""EXISTS (SELECT 1 FROM accounts_{factor} JOIN accounts_member
    ON accounts_member.user_id = accounts_{factor}.user_id
    WHERE accounts_{factor}.id = NEW.{factor}_id AND accounts_member.id = NEW.member_id)""",  # noqa: S608
    )
    for factor in ("authenticator", "passkey", "recoverycode")
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [hold(SERVICE_USER, API_KEY, CUSTODIAN, *FACTORS)]
