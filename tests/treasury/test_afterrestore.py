"""After a restored backup: what was signed before is worthless, nobody is signed in, and people know where to look."""

from datetime import timedelta
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import email_links
from accounts.models import AccessLink, ApiKey, ServiceUser, Session
from accounts.models.invitation import LinkPurpose
from policies.models import Policy
from portal.audit.models import AuditEvent
from portal.core.errors import NotFound
from portal.treasury.models import Withdrawal
from tests.api.calls import Wire

pytestmark = pytest.mark.django_db
USED = "EAPI:Invalid nonce"
# Units in a second of the clocks that known clients read (protocol reference §3).
CLOCKS = {"milliseconds": 10**3, "10 nanoseconds": 10**8, "nanoseconds": 10**9}


def nonce(units: int, after: timedelta = timedelta()) -> int:
    return int((timezone.now() + after).timestamp() * units)


class Captured:
    """A signed Withdraw, taken off the wire: body, nonce and signature as they were sent."""

    def __init__(self, wire: Wire, units: int) -> None:
        self.wire, self.nonce = wire, str(nonce(units))
        self.body = urlencode({"nonce": self.nonce, "asset": "XBT", "key": "btc-cold", "amount": "0.01"}).encode()

    def send(self):
        return self.wire.read(self.wire.send("Withdraw", self.body, nonce=self.nonce))


@pytest.fixture
def restored(treasury_bot, time_machine):
    """A key used by a clock; a Withdraw since; then the key's row as the backup of before had it."""
    Policy.objects.filter(workflow="initiate_withdrawal").delete()

    def made(units: int, window: int = 0) -> tuple[Wire, Captured]:
        ServiceUser.objects.filter(pk=treasury_bot.service_user.pk).update(nonce_window=window)
        ApiKey.objects.filter(pk=treasury_bot.key.pk).update(last_nonce=0, recent_nonces=[])
        time_machine.move_to(timezone.now(), tick=False)
        wire = Wire(treasury_bot)
        wire.result("Balance", nonce=nonce(units))
        backup = ApiKey.objects.filter(pk=treasury_bot.key.pk).values().get()
        time_machine.shift(3600)
        captured = Captured(wire, units)
        assert captured.send()["error"] == []
        assert captured.send()["error"] == [USED]
        ApiKey.objects.filter(pk=treasury_bot.key.pk).update(**backup)
        time_machine.shift(600)
        return wire, captured

    return made


@pytest.mark.parametrize("purpose", list(LinkPurpose))
def test_a_link_that_was_used_since_does_not_open_anything_again(ana, purpose):
    """Whoever reads old mail could set a password by it, or enrol a factor of their own, for days."""
    link = email_links.issue(ana.user, purpose, member=ana)
    backup = AccessLink.objects.values("used_at", "expires_at").get()
    email_links.spend(email_links.find(link.digest, purpose))
    AccessLink.objects.filter(token_digest=link.digest).update(**backup)
    email_links.find(link.digest, purpose)
    call_command("afterrestore", yes=True)
    with pytest.raises(NotFound):
        email_links.find(link.digest, purpose)
    another = email_links.issue(ana.user, purpose, member=ana)
    email_links.find(another.digest, purpose)


@pytest.mark.parametrize("window", [0, 10**12])
@pytest.mark.parametrize("units", CLOCKS.values(), ids=CLOCKS)
def test_what_was_signed_before_is_refused_and_the_bot_goes_on_by_its_own_clock(restored, time_machine, units, window):
    """fault operations-F8: a captured Withdraw; each clock that clients count by; with a nonce window and without."""
    wire, captured = restored(units, window)
    call_command("afterrestore", yes=True)
    sent = Withdrawal.objects.count()
    assert captured.send()["error"] == [USED]
    assert Withdrawal.objects.count() == sent
    # Whose clock ran ahead a little has signed a little beyond the present.
    assert wire.error("Balance", nonce=nonce(units, timedelta(seconds=59))) == USED
    time_machine.shift(61)
    wire.result("Balance", nonce=nonce(units))
    assert captured.send()["error"] == [USED]


def test_without_it_the_call_passes_again(restored):
    """What the command is for: the portal itself cannot know that it was restored."""
    _, captured = restored(10**3)
    assert captured.send()["error"] == []


@pytest.mark.parametrize("last_nonce", [0, 57, 10**12])
def test_a_key_that_counts_by_no_clock_known_takes_none_but_the_highest(treasury_bot, time_machine, capsys, last_nonce):
    """fault operations-F8: any clock may have been signed by since the backup, so only the highest floor is safe."""
    used = None if not last_nonce else timezone.now() - timedelta(hours=1)
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(last_nonce=last_nonce, last_used_at=used)
    time_machine.move_to(timezone.now(), tick=False)
    wire = Wire(treasury_bot)
    captured = [Captured(wire, units) for units in CLOCKS.values()]
    call_command("afterrestore", yes=True)
    assert "treasury-bot: which clock its bot counts by is not known" in capsys.readouterr().out
    time_machine.shift(61)
    assert [each.send()["error"] for each in captured] == [[USED]] * 3
    wire.result("Balance", nonce=nonce(10**9))


def test_it_ends_every_session_writes_each_history_and_lists_withdrawals(client, ana, eve, sign_in, capsys, ask):
    sign_in(client, ana)
    known, lost = (ask("0.1").withdrawal for _ in range(2))
    Withdrawal.objects.filter(pk=lost.pk).update(reference="ANOTHER")
    call_command("afterrestore", yes=True)
    said = capsys.readouterr().out
    assert not Session.objects.exists()
    assert client.get(reverse("policies:inbox")).status_code == 302
    for member in (ana, eve):
        event = AuditEvent.objects.get(kind="backup.restored", organization=member.organization)
        assert event.actor_kind == "operator"
        assert f"{member.organization.name}: its history reaches to 20" in said
    assert f"({known.reference}), " in said.partition("Known: ")[2]
    assert f"Open, may have been sent since: {timezone.now():%Y}" in said
    assert f"NOT KNOWN HERE, look into it: {timezone.now():%Y}" in said
    assert f"({lost.reference})" in said
    # Again: the history reaches to where it did, not to the first run.
    call_command("afterrestore", yes=True)
    assert AuditEvent.objects.filter(kind="backup.restored", organization=ana.organization).count() == 2


def test_it_asks_first(world, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _question: "n")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("afterrestore")
    assert not AuditEvent.objects.filter(kind="backup.restored").exists()


def test_where_nobody_can_be_asked_nothing_is_changed(world, monkeypatch):
    """One line for the operator, and no traceback, from a job without a terminal."""
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("afterrestore")
    assert not AuditEvent.objects.filter(kind="backup.restored").exists()
