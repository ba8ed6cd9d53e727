"""The role that serves can do all that the portal does, and cannot rewrite its history (security AU-3, SC-4)."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.apps import apps
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.api_keys import credentials
from policies.models import ChangeRequest, Decision, Policy, State
from portal.audit import roles
from portal.audit.models import AuditEvent
from portal.audit.roles_check import check_roles
from portal.core.secrets.sealed_fields import SealedField
from portal.jobs import mail, periodic
from portal.treasury import expired_holds
from tests.api.calls import Wire
from tests.database import triggers
from tests.factories import people

postgresql = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PASSWORD = secrets.token_urlsafe(20)
# Each of these would change the history, a decision or the ledger, or what keeps them.
REFUSED = [
    f"{statement} {table}{rest}"
    for table in ("audit_auditevent", "policies_decision", "paper_posting")
    for statement, rest in (
        ("UPDATE", " SET id = id"),
        ("DELETE FROM", ""),
        ("TRUNCATE", " CASCADE"),
        ("ALTER TABLE", " DISABLE TRIGGER USER"),
        ("ALTER TABLE", " DISABLE TRIGGER ALL"),
        ("ALTER TABLE", " OWNER TO CURRENT_USER"),
        ("DROP TABLE", " CASCADE"),
        ("CREATE RULE quiet AS ON INSERT TO", " DO INSTEAD NOTHING"),
    )
] + [
    "DELETE FROM audit_chain",
    "DELETE FROM policies_changerequest",
    "DELETE FROM paper_entry",
    "TRUNCATE audit_chain CASCADE",
    "ALTER TABLE audit_chain DISABLE TRIGGER USER",
    "DROP TRIGGER audit_event_no_update ON audit_auditevent",
    "DROP TRIGGER audit_chain_only_grows ON audit_chain",
    "DROP FUNCTION audit_append_only() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE audit_auditevent (id int)",
    "CREATE SCHEMA mine",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '9999', now())",
    "SET session_replication_role = replica",
]

# Each of these proves who somebody is, or would once a sealing key leaks.
PROOFS = [
    ("accounts_user", "password"),
    ("accounts_apikey", "sealed_secret"),
    ("accounts_authenticator", "sealed_seed"),
    ("accounts_recoverycode", "digest"),
    ("accounts_identitycheck", "sealed_document"),
    ("accounts_invitation", "token_digest"),
    ("accounts_accesslink", "token_digest"),
    ("accounts_streamtoken", "digest"),
    ("kraken_credential", "sealed_secret"),
]


def unable(reason: str) -> None:
    if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def made(transactional_db) -> Iterator[roles.Roles]:
    """Roles of this database's own, made by the command, with a password to connect by."""
    given = connection.settings_dict
    if not given["HOST"] or given["HOST"].startswith("/"):
        unable("no DATABASE_URL with a host: only over TCP can another role give its password")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            unable("the role of DATABASE_URL may not create roles")
    named = roles.Roles(web=f"{given['NAME']}_web", readonly=f"{given['NAME']}_reads")
    try:
        call_command("databaseroles", web=named.web, readonly=named.readonly, verbosity=0)
        with connection.cursor() as cursor:
            for name in named.all:
                cursor.execute(f"ALTER ROLE \"{name}\" PASSWORD '{PASSWORD}'")
        yield named
    finally:
        with connection.cursor() as cursor:
            for name in named.all:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
                if cursor.fetchone():
                    cursor.execute(f'GRANT "{name}" TO CURRENT_USER')
                    cursor.execute(f'DROP OWNED BY "{name}"')
                    cursor.execute(f'DROP ROLE "{name}"')


def by_hand(role: str) -> "psycopg.Connection":
    """A connection of that role's own, past the portal."""
    given = connection.settings_dict
    return psycopg.connect(
        host=given["HOST"], port=given["PORT"] or 5432, dbname=given["NAME"], user=role, password=PASSWORD
    )


@contextmanager
def serving_as(role: str) -> Iterator[None]:
    """The portal itself connects as that role."""
    given = connection.settings_dict
    before = {name: given[name] for name in ("USER", "PASSWORD")}
    connection.close()
    given.update(USER=role, PASSWORD=PASSWORD)
    try:
        yield
    finally:
        connection.close()
        given.update(before)


class TestOnPostgreSQL:
    pytestmark = postgresql

    def test_by_hand_the_web_role_changes_nothing_that_was_recorded(self, made, world):
        """AU-3, SC-4, fault security-M8: raw SQL as the web role."""
        went_through = []
        with by_hand(made.web) as raw:
            raw.autocommit = True
            for statement in REFUSED:
                try:
                    raw.execute(statement)
                except psycopg.errors.InsufficientPrivilege:
                    continue
                went_through.append(statement)
            assert raw.execute("SELECT count(*) FROM audit_auditevent").fetchone() == (AuditEvent.objects.count(),)
        assert went_through == []
        assert {"audit_event_no_update", "audit_chain_only_grows", "decision_stays"} <= triggers.present()

    def test_who_reads_for_reports_is_nobody_else(self, made, world):
        """Whoever has the password for reports reads the key of a session, sends it as a cookie, and is that person."""
        with by_hand(made.readonly) as raw:
            raw.autocommit = True
            assert raw.execute("SELECT count(*) FROM accounts_member").fetchone() != (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute("SELECT session_key FROM accounts_session")

    def test_who_reads_for_reports_takes_no_proof_home(self, made, world):
        """Nobody guesses at passwords and codes out of a report, or keeps what is sealed for a key that leaks later."""
        with by_hand(made.readonly) as raw:
            raw.autocommit = True
            assert raw.execute("SELECT email FROM accounts_user").fetchall()
            assert raw.execute("SELECT count(*) FROM accounts_apikey").fetchone() != (0,)
            for table, column in PROOFS:
                for asked in (column, "*"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        raw.execute(f"SELECT {asked} FROM {table}")

    def test_who_only_reads_changes_nothing_at_all(self, made, world):
        """SC-4: reads every table but that of sessions, those to come too, and writes none."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE to_come (id serial PRIMARY KEY)")
        try:
            with by_hand(made.readonly) as raw:
                raw.autocommit = True
                tables = raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
                assert ("to_come",) in tables
                for (table,) in tables:
                    if table not in roles.never_reported():
                        raw.execute(f'SELECT count(*) FROM "{table}"')
                    for statement in (f'DELETE FROM "{table}"', f'TRUNCATE "{table}"'):
                        with pytest.raises(psycopg.errors.InsufficientPrivilege):
                            raw.execute(statement)
            with by_hand(made.web) as raw:
                raw.execute("INSERT INTO to_come DEFAULT VALUES")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE to_come")

    def test_the_whole_path_works_as_the_web_role(self, made, world, sign_in, mailoutbox, settings):
        """SC-4: sign-in, a signed call, a withdrawal asked, approved by two and executed, mail and every task."""
        settings.API_LIMITS = False
        ben, cleo = world.members["ben"], world.members["cleo"]
        with serving_as(made.web):
            credentials._cache.clear()
            expired_holds.forget()
            wire = Wire(world.bot("treasury-bot"))
            before = wire.result("Balance")["XXBT"]
            reference = wire.result("Withdraw", asset="XBT", key="btc-cold", amount="0.25")["refid"]
            change = ChangeRequest.objects.get(withdrawal__reference=reference)
            for member in (ben, cleo):
                client = Client()
                sign_in(client, member)
                page = reverse("policies:request", args=[change.reference])
                assert client.get(page).status_code == 200
                answer = client.post(
                    reverse("policies:decide", args=[change.reference]),
                    {"digest": change.digest, "decision": "approve", "code": people.code(member)},
                )
                assert answer.status_code == 302, answer.content.decode()
            change.refresh_from_db()
            assert change.state == State.EXECUTED
            assert wire.result("Balance")["XXBT"] != before
            mail.settle()
            for task in periodic.all_tasks():
                task.run()
            call_command("verifyaudit")
            call_command("checkledger")
            assert not roles.may_rewrite_history()
        assert mailoutbox
        assert Decision.objects.filter(change=change).count() == 2
        assert Policy.objects.exists()

    def test_it_is_said_where_the_owner_serves(self, made, world, settings):
        """fault security-M8: a check of an installation in public, and none of the web role."""
        settings.DEBUG = False
        asked = {"app_configs": None, "databases": ["default"]}
        assert [found.id for found in check_roles(**asked)] == ["audit.W001"]
        assert check_roles(app_configs=None) == []
        with serving_as(made.web):
            assert check_roles(**asked) == []
        settings.DEBUG = True
        assert check_roles(**asked) == []

    def test_it_may_be_run_again_and_says_what_it_would_do(self, made, capsys):
        call_command("databaseroles", web=made.web, readonly=made.readonly)
        assert "was made" not in capsys.readouterr().out
        call_command("databaseroles", web=made.web, only_print=True)
        said = capsys.readouterr().out
        assert f'GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "{made.web}";' in said
        with serving_as(made.web), pytest.raises(CommandError, match="as the role that owns the tables"):
            call_command("databaseroles", readonly=made.readonly)

    def test_no_role_is_taken_that_nothing_binds(self, made):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            (owner,) = cursor.fetchone()
        with pytest.raises(CommandError, match="rights of the owner"):
            call_command("databaseroles", web=owner)
        with pytest.raises(CommandError, match="must be two"):
            call_command("databaseroles", web="one", readonly="one")
        with pytest.raises(CommandError, match="Name a role"):
            call_command("databaseroles")

    def test_a_name_that_the_server_keeps_for_itself_is_refused_in_its_words(self, made):
        with pytest.raises(CommandError, match='Nothing was changed: role name "pg_web" is reserved'):
            call_command("databaseroles", web="pg_web")

    def test_whatever_a_trigger_keeps_from_removal_the_web_role_cannot_remove(self, made):
        """A table that gets such a trigger is named in its AppConfig; TRUNCATE is nobody's but the owner's."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t WHERE NOT t.tgisinternal "
                # BEFORE, and DELETE: bits 2 and 8 of what a trigger fires at.
                "AND t.tgtype & 2 > 0 AND t.tgtype & 8 > 0"
            )
            kept = {table for (table,) in cursor.fetchall()}
        assert kept
        assert kept <= {*roles.only_added(), *roles.never_removed()}


def test_nothing_that_is_sealed_or_a_digest_of_a_proof_is_left_to_reports():
    """A column that comes later and is sealed, or named as these are, must not be read because nobody thought of it."""
    hidden = {(table, column) for table, columns in roles.unreported_columns().items() for column in columns}
    telling = re.compile(r"password|secret|seed|token")
    found = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if model._meta.db_table not in roles.never_reported()
        and (isinstance(field, SealedField) or telling.search(str(field.column)))
    }
    assert found <= hidden
    assert set(PROOFS) == hidden


@pytest.mark.django_db
def test_a_file_has_no_roles(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    assert not roles.may_rewrite_history()
    with pytest.raises(CommandError, match="Only PostgreSQL"):
        call_command("databaseroles", web="web")


def test_the_check_is_asked_of_a_database_and_of_a_deployment_only():
    """`migrate` runs as the owner and is not warned of it."""
    assert check_roles in checks.registry.registry.get_checks(include_deployment_checks=True)
    assert check_roles not in checks.registry.registry.get_checks()
