"""`python -m benchmarks.peers.founding`: the peers' own tables, and keys in them; run with the settings of peer d.

Reads `{"accounts": [id, …], "keys": number}` and writes, for each of the Accounts, the two keys that call for it.
"""

import base64
import json
import secrets
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.peers.sealing import seal

SECRET_BYTES: Final = 64
NETWORKS: Final = ["10.0.0.0/8", "127.0.0.0/8"]


def found(accounts: Sequence[int], keys: int) -> list[dict[str, object]]:
    """So many keys on either side; those of `accounts` come first and are the ones that can be used."""
    from django.core.management import call_command  # noqa: PLC0415  (once the settings are read)
    from django.db import connection  # noqa: PLC0415

    from benchmarks.peers.models import Key  # noqa: PLC0415

    call_command("migrate", "rest_framework_api_key", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Key)
    used = [(account, base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()) for account in accounts]
    made = Key.objects.bulk_create(
        Key(
            public=_public(),
            sealed=seal(secret.encode()),
            account=account,
            scopes=["query-funds"],
            allow_list=NETWORKS,
        )
        for account, secret in used
    )
    with connection.cursor() as cursor:
        cursor.execute(ONLY_THERE, [keys - len(made)])
    return [
        {"account": key.account, "id": key.pk, "public": key.public, "secret": secret, "other": other}
        for key, (_, secret), other in zip(made, used, _others(len(made), keys), strict=True)
    ]


# Keys that nobody uses: a table of many rows, with an index as deep.
ONLY_THERE: Final = """
    INSERT INTO peers_key (public, sealed, account, scopes, allow_list, is_active, version, last_nonce, calls)
    SELECT rpad(md5(number::text), 56, 'x'), first.sealed, first.account, first.scopes, first.allow_list, true, 1, 0, 0
    FROM generate_series(1, %s) AS number, (SELECT * FROM peers_key LIMIT 1) AS first
"""
OTHERS_ONLY_THERE: Final = """
    INSERT INTO rest_framework_api_key_apikey (id, prefix, hashed_key, created, name, revoked)
    SELECT 'x' || number || '.' || md5(number::text), 'x' || number, md5(number::text), now(), 'unused', false
    FROM generate_series(1, %s) AS number
"""


def _others(number: int, keys: int) -> list[str]:
    from django.db import connection  # noqa: PLC0415
    from rest_framework_api_key.models import APIKey  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(OTHERS_ONLY_THERE, [keys - number])
    return [str(APIKey.objects.create_key(name=f"bench {place}")[1]) for place in range(number)]


def _public() -> str:
    return secrets.token_hex(28)


if __name__ == "__main__":
    import django

    django.setup()
    json.dump(found(**json.load(sys.stdin)), sys.stdout)
