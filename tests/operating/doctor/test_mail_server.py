"""As far as sending, at a real server."""

import pytest

from portal.operating.doctor import mail_server
from portal.operating.doctor.findings import Level, without_secrets
from tests.jobs import mail_servers
from tests.operating.doctor.said import only
from tests.operating.doctor.servers import smtp
from tests.operating.doctor.servers.authority import Authority
from tests.ports import lasting

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """The system trusts it."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    return made


@pytest.fixture
def at(settings):
    """EMAIL_URL names that server."""

    def use(port: int, *, tls: bool = True, password: str = smtp.PASSWORD) -> None:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = BACKEND, "localhost", port
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = tls, False
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = smtp.USER, password
        settings.DEFAULT_FROM_EMAIL = "portal@example.test"

    return use


def test_it_signs_in_over_tls_and_sends_nothing(authority, at):
    manners = smtp.Manners(authority.certificate())
    with smtp.serving(manners) as port:
        at(port)
        found = only(mail_server.look())
    assert (found.level, found.found) == (Level.OK, f"localhost:{port} answers, over TLS, signed in")
    assert manners.heard == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]


def test_a_wrong_password(authority, at):
    with smtp.serving(smtp.Manners(authority.certificate())) as port:
        at(port, password="wrong horse")
        found = without_secrets(only(mail_server.look()))
    assert (found.level, found.do) == (Level.WRONG, "Set name and password in EMAIL_URL right.")
    # It says the password back.
    assert "535" in found.found
    assert "wrong horse" not in found.found


def test_a_certificate_for_another_name(authority, at):
    with smtp.serving(smtp.Manners(authority.certificate("other.test"))) as port:
        at(port)
        found = only(mail_server.look())
    assert (found.level, "certificate" in found.do) == (Level.WRONG, True)


def test_a_server_that_begins_no_tls(at):
    with smtp.serving(smtp.Manners()) as port:
        at(port)
        found = only(mail_server.look())
    assert (found.level, "STARTTLS" in found.found) == (Level.WRONG, True)


def test_without_tls_only_on_this_machine(at, monkeypatch):
    with smtp.serving(smtp.Manners()) as port:
        at(port, tls=False)
        assert only(mail_server.look()).level is Level.OK
        monkeypatch.setattr(mail_server, "HERE", set())
        found = only(mail_server.look())
    assert (found.level, "smtp+tls" in found.do) == (Level.WRONG, True)


def test_one_that_is_away_and_one_that_says_nothing(at, monkeypatch):
    monkeypatch.setattr(mail_server, "WAITED", 0.3)
    at(lasting())
    assert only(mail_server.look()).level is Level.WRONG
    silent = mail_servers.Silent()
    at(silent.port)
    found = only(mail_server.look())
    silent.let_go()
    assert found.level is Level.WRONG


def test_a_mail_is_sent_where_it_is_asked_for(at, settings):
    with mail_servers.taking() as server:
        at(server.port, tls=False)
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        found = only(mail_server.send("ops@example.test"))
    assert found.level is Level.OK
    (taken,) = server.taken
    assert "To: ops@example.test" in taken
    assert "From: portal@example.test" in taken


def test_a_mail_that_is_not_taken(at):
    with smtp.serving(smtp.Manners(takes=False)) as port:
        at(port, tls=False)
        found = only(mail_server.send("nobody@example.test"))
    assert (found.level, "550" in found.found or "nobody" in found.found) == (Level.WRONG, True)


def test_where_mail_is_kept_there_is_no_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    assert only(mail_server.look()).level is Level.OK
