"""A bot, its keys and their custodians belong to one Organization (security AZ-3).

On SQLite a later migration that rebuilds a table which these rules name is a `portal.core.rebuilding.KeepsTriggers`.
"""

from django.db import migrations

from portal.core.belonging import Belonging, hold

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


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_suspension_ends")]

    operations = [hold(SERVICE_USER, API_KEY, CUSTODIAN)]
