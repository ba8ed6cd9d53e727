"""The mail server: as far as sending, without sending."""

import smtplib
import ssl
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage

from portal.operating.doctor.findings import Finding, Words, first_line

WAITED: Final = 8.0
HERE: Final = {"localhost", "127.0.0.1", "::1"}
SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
words = Words("mail server")


def look() -> Iterator[Finding]:
    """Connect, greet, begin TLS and sign in as `work` does; then leave."""
    if settings.EMAIL_BACKEND != SMTP:
        yield words.ok("no server: EMAIL_URL keeps or prints mail")
        return
    place = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        server = _connected()
    except (OSError, smtplib.SMTPException) as error:
        yield words.wrong(f"{place}: {first_line(error)}", _of_connection(error))
        return
    with server:
        try:
            yield from _signed_in(server, place)
        except (OSError, smtplib.SMTPException) as error:
            yield words.wrong(f"{place}: {first_line(error)}", _of_connection(error))


def send(address: str) -> Iterator[Finding]:
    """Send one mail there, at once and past the queue."""
    subject = f"{settings.PRODUCT_NAME}: the mail server takes mail"
    body = f"{settings.BASE_URL} can send mail. The operator asked for this one; nothing is to be done.\n"
    try:
        EmailMessage(subject, body, to=[address]).send()
    except (OSError, smtplib.SMTPException) as error:
        yield words.wrong(f"no mail to {address}: {first_line(error)}", _of_connection(error))
        return
    yield words.ok(f"a mail to {address} was taken from {settings.DEFAULT_FROM_EMAIL}: see whether it arrives")


def _connected() -> smtplib.SMTP:
    if settings.EMAIL_USE_SSL:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=WAITED, context=context)
    return smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=WAITED)


def _signed_in(server: smtplib.SMTP, place: str) -> Iterator[Finding]:
    server.ehlo_or_helo_if_needed()
    if settings.EMAIL_USE_TLS:
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    is_sealed = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    if settings.EMAIL_HOST_USER and settings.EMAIL_HOST_PASSWORD:
        server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    how = ("over TLS" if is_sealed else "without TLS") + (", signed in" if settings.EMAIL_HOST_USER else "")
    if is_sealed or settings.EMAIL_HOST in HERE:
        yield words.ok(f"{place} answers, {how}")
    else:
        yield words.wrong(
            f"{place} answers, {how}: links that open the portal go over the wire as they are",
            "Set EMAIL_URL=smtp+tls://… (STARTTLS) or smtp+ssl://….",
        )


def _of_connection(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "Set name and password in EMAIL_URL right."
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "EMAIL_URL has to name it as its certificate does; a certificate of your own goes into the system's store."
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "It offers no STARTTLS or no sign-in: correct the scheme of EMAIL_URL (smtp+ssl for port 465)."
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPSenderRefused):
        return "Let it send from PORTAL_MAIL_FROM to that address."
    return "See whether EMAIL_URL names host and port right, and whether this machine reaches them."
