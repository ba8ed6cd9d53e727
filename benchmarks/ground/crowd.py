"""Keys, bots, Accounts and balances that nobody uses: copies of one bot's rows, in one statement for each table."""

from typing import Final

from django.db import connection
from django.db.models import Model

from accounts.models import Account, ApiKey, ServiceUser
from benchmarks.ground.world import Bot
from portal.venues.paper.ledger.models import Balance

KEYS_OF_BOT, BOTS_OF_ACCOUNT = 2, 10
NAME: Final = "Crowd"


def gather(around: Bot, keys: int) -> None:
    """So many keys in the Organization of that bot, two to a bot, twenty to an Account."""
    bots = keys // KEYS_OF_BOT
    accounts = -(-bots // BOTS_OF_ACCOUNT)
    crowd = f"(SELECT id FROM accounts_account WHERE name LIKE '{NAME} %%') AS account"
    _copies(Account, around.account_id, f"generate_series(1, {accounts}) AS number", name=f"'{NAME} ' || number")
    for balance in Balance.objects.filter(account=around.account_id):
        _copies(Balance, balance.pk, crowd, account_id="account.id")
    members = f"{crowd}, generate_series(1, {BOTS_OF_ACCOUNT}) AS number ORDER BY account.id LIMIT {bots}"
    _copies(ServiceUser, around.id, members, account_id="account.id", name="'c' || account.id || '-' || number")
    key = ApiKey.objects.get(service_user=around.id)
    keyless = "NOT EXISTS (SELECT 1 FROM accounts_apikey WHERE service_user_id = accounts_serviceuser.id)"
    bots_of_crowd = f"organization_id = {around.organization_id} AND {keyless}"
    theirs = f"""
        (SELECT id FROM accounts_serviceuser WHERE {bots_of_crowd}) AS bot,
        generate_series(1, {KEYS_OF_BOT}) AS number
    """
    public = "rpad(replace(md5(bot.id || '-' || number), '-', ''), 56, 'x')"
    _copies(ApiKey, key.pk, theirs, service_user_id="bot.id", slot="number", public=public)


def _copies(model: type[Model], template: int, others: str, **said: str) -> None:
    """A copy of one row for each row of `others`, but for the columns of which `said` has SQL."""
    columns = [field.column for field in model._meta.concrete_fields if field.column and not field.primary_key]
    values = [said.get(column, f"template.{column}") for column in columns]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM (SELECT * FROM {table} WHERE id = %s) AS template, {others}",
            [template],
        )
