"""A credential and an alarm are of their Account's Organization, a withdrawal's credential of its Account (AZ-3).

On SQLite a later migration that rebuilds a table which these rules name is a
`portal.core.database.sqlite_rebuild.KeepsTriggers`.
"""

from django.db import migrations

from portal.core.database.tenant_triggers import Belonging, hold

CREDENTIAL = Belonging(
    "kraken_credential",
    ("organization_id", "account_id"),
    """NEW.account_id IS NULL OR EXISTS (SELECT 1 FROM accounts_account
        WHERE id = NEW.account_id AND organization_id = NEW.organization_id)""",
)
ALARM = Belonging(
    "kraken_alarm",
    ("organization_id", "account_id"),
    "EXISTS (SELECT 1 FROM accounts_account WHERE id = NEW.account_id AND organization_id = NEW.organization_id)",
)
WITHDRAWAL = Belonging(
    "kraken_withdrawal",
    ("account_id", "credential_id"),
    """NEW.credential_id IS NULL OR EXISTS (SELECT 1 FROM kraken_credential
        WHERE id = NEW.credential_id AND account_id = NEW.account_id)""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_one_organization"),
        ("kraken", "0002_what_the_exchange_says_of_a_credential"),
    ]

    operations = [hold(CREDENTIAL, ALARM, WITHDRAWAL)]
