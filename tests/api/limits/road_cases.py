"""What can be the matter with a call, and how far the straight path goes with it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.utils import timezone

from accounts.api_keys import call_limits, credentials, lifecycle
from accounts.emergency_stop.stop import pause_key, revoke_key, suspend_service_user
from accounts.models import ApiKey, Member
from portal.api.authentication import AHEAD_SECONDS
from portal.api.limits import lockout
from portal.treasury import expired_holds
from portal.venues.registry import venue
from tests.api.calls import FORM, sign
from tests.api.changed_bots import change_bot, change_key
from tests.api.limits.roads import (
    ANSWERS,
    GIVES_UP_JUDGED,
    GIVES_UP_READ,
    GIVES_UP_SPENT,
    KEEPS_OUT,
    SOURCE,
    Bend,
    Sent,
)


def each(*bends: Bend) -> Bend:
    def bend(sent: Sent) -> None:
        for one in bends:
            one(sent)

    return bend


def environ(**values: Any) -> Bend:
    return lambda sent: sent.environ.update(values)


def body(text: str, nonce: str = "1") -> Bend:
    def bend(sent: Sent) -> None:
        sent.nonce, sent.body = nonce, text.encode()

    return bend


def method(name: str) -> Bend:
    return lambda sent: setattr(sent, "method", name)


def nonce(made: Bend) -> Bend:
    return lambda sent: setattr(sent, "nonce", str(made(sent)))


def bot(**values: Any) -> Bend:
    return lambda sent: change_bot(sent.wire, **values)


def key(**values: Any) -> Bend:
    return lambda sent: change_key(sent.wire, **values)


def remembered(act: Bend) -> Bend:
    """The process knows of the change already."""

    def bend(sent: Sent) -> None:
        act(sent)
        lifecycle.forget(sent.wire.bot.public)
        lifecycle.find(sent.wire.bot.public)

    return bend


def level(below: float) -> Bend:
    """The key's counter stands so far below its maximum at this moment; the key has not changed for that."""

    def bend(sent: Sent) -> None:
        found = lifecycle.find(sent.wire.bot.public)
        assert found is not None
        calls = call_limits.calls(found.tier).maximum - below
        rows = ApiKey.objects.filter(pk=sent.wire.bot.key.pk)
        rows.update(calls=calls, calls_at=timezone.now().timestamp())

    return bend


def failed(times: int) -> Bend:
    def bend(sent: Sent) -> None:
        for _ in range(times):
            lockout.failed(SOURCE, timezone.now())

    return bend


def high(sent: Sent) -> int:
    return ApiKey.objects.get(pk=sent.wire.bot.key.pk).last_nonce


def ahead(sent: Sent) -> int:
    return (int(timezone.now().timestamp()) + AHEAD_SECONDS) * 10**9


def owner_of(sent: Sent) -> Member:
    return sent.wire.bot.key.made_by


def revoked(sent: Sent) -> None:
    revoke_key(actor=owner_of(sent), api_key=sent.wire.bot.key, reason="It has to stop.")


def paused(sent: Sent) -> None:
    pause_key(actor=owner_of(sent), api_key=sent.wire.bot.key, reason="It has to stop.")


def suspended(sent: Sent) -> None:
    suspend_service_user(actor=owner_of(sent), service_user=sent.wire.bot.service_user, reason="It has to stop.")


def forgotten(sent: Sent) -> None:
    credentials.forget(sent.wire.bot.public)


def deposit_has_come(sent: Sent) -> None:
    account = sent.wire.bot.service_user.account
    exchange = venue(account.venue)
    with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
        exchange.simulate_deposit(account.pk, "XBT", Decimal("0.5"))


def hold_may_be_due(sent: Sent) -> None:
    expired_holds.forget()


def other(sent: Sent) -> str:
    text = f"nonce={sent.nonce}".encode()
    return sign(sent.wire.bot.secret, "/0/private/BalanceEx", sent.nonce, text)


SOON = timezone.now() + timedelta(hours=1)
LAST_YEAR = timezone.now() - timedelta(days=365)

CASES: dict[str, tuple[str, Bend]] = {
    # What the straight path answers.
    "plain": (ANSWERS, lambda _: None),
    "BalanceEx": (ANSWERS, method("BalanceEx")),
    "leading zeros": (ANSWERS, nonce(lambda sent: f"0{sent.nonce}")),
    "the furthest nonce": (ANSWERS, nonce(ahead)),
    "behind a listed proxy": (
        ANSWERS,
        environ(
            **{"wsgi.url_scheme": "http"},
            REMOTE_ADDR="10.0.0.9",
            HTTP_X_FORWARDED_FOR=SOURCE,
            HTTP_X_FORWARDED_PROTO="https",
        ),
    ),
    "a query window": (ANSWERS, remembered(bot(query_start=LAST_YEAR))),
    "nearly too many calls": (ANSWERS, level(1.1)),
    "parameters after it": (ANSWERS, lambda sent: setattr(sent, "body", f"nonce={sent.nonce}&asset=XBT".encode())),
    "nothing after it": (ANSWERS, lambda sent: setattr(sent, "body", f"nonce={sent.nonce}&".encode())),
    "a nonce again after it": (
        GIVES_UP_READ,
        lambda sent: setattr(sent, "body", f"nonce={sent.nonce}&nonce={sent.nonce}".encode()),
    ),
    "parameters more": (ANSWERS, lambda sent: setattr(sent, "body", f"asset=XBT&nonce={sent.nonce}&otp=1".encode())),
    "the nonce as an escape": (ANSWERS, lambda sent: setattr(sent, "body", f"%6Eonce={sent.nonce}".encode())),
    # What it gives up once the body is read.
    "a hold that may be due": (GIVES_UP_READ, hold_may_be_due),
    "a parameter that cannot be": (GIVES_UP_READ, body("nonce=1&a=%zz")),
    "too many parameters": (GIVES_UP_READ, body("nonce=1&" + "&".join(f"a{number}=1" for number in range(101)))),
    "a control character": (GIVES_UP_READ, body("nonce=1&a=%00")),
    "no text": (GIVES_UP_READ, lambda sent: setattr(sent, "body", b"nonce=1&a=\xff")),
    "a nonce below zero": (GIVES_UP_READ, body("nonce=-1", "-1")),
    "letters for a nonce": (GIVES_UP_READ, body("nonce=abc", "abc")),
    "no nonce": (GIVES_UP_READ, body("nonces=1234", "")),
    "two nonces": (GIVES_UP_READ, body("nonce=1&nonce=2")),
    "Arabic digits": (GIVES_UP_READ, body("nonce=%D9%A1", "\u0661")),
    "shorter than announced": (GIVES_UP_READ, environ(CONTENT_LENGTH="26")),
    # What it gives up with the signature known.
    "a wrong signature": (GIVES_UP_JUDGED, environ(HTTP_API_SIGN="x" * 88)),
    "no signature": (GIVES_UP_JUDGED, environ(HTTP_API_SIGN="")),
    "a signature of something else": (GIVES_UP_JUDGED, lambda sent: sent.environ.update(HTTP_API_SIGN=other(sent))),
    "a nonce too far ahead": (GIVES_UP_JUDGED, nonce(lambda sent: ahead(sent) + 1)),
    "the highest nonce there is": (GIVES_UP_JUDGED, nonce(lambda sent: 2**64 - 1)),
    "paused, and wrongly signed": (
        GIVES_UP_JUDGED,
        each(paused, environ(HTTP_API_SIGN="x" * 88)),
    ),
    # What it gives up with the nonce tried.
    "a used nonce": (GIVES_UP_SPENT, nonce(high)),
    "a lower nonce": (GIVES_UP_SPENT, nonce(lambda sent: high(sent) - 1)),
    "nonce zero": (GIVES_UP_SPENT, nonce(lambda _: 0)),
    "revoked meanwhile": (GIVES_UP_SPENT, revoked),
    "paused meanwhile": (GIVES_UP_SPENT, paused),
    "suspended meanwhile": (GIVES_UP_SPENT, suspended),
    "removed meanwhile": (GIVES_UP_SPENT, bot(removed_at=timezone.now())),
    "expired meanwhile": (GIVES_UP_SPENT, key(expires_at=LAST_YEAR)),
    "an expiry set meanwhile": (GIVES_UP_SPENT, key(expires_at=SOON)),
    "an allow-list set meanwhile": (GIVES_UP_SPENT, bot(ip_allow_list=["198.51.100.1"])),
    "an allow-list with the source": (GIVES_UP_SPENT, bot(ip_allow_list=[SOURCE])),
    "a window set meanwhile": (GIVES_UP_SPENT, bot(nonce_window=1000)),
    "a permission lost meanwhile": (GIVES_UP_SPENT, bot(permissions=["query-ledger"])),
    "too many calls": (GIVES_UP_SPENT, level(0.9)),
    "too many calls of a key that changed": (GIVES_UP_SPENT, each(level(0.9), key())),
    "a deposit that has come": (GIVES_UP_SPENT, deposit_has_come),
    # What is nothing for it from the start.
    "an unknown key": (KEEPS_OUT, environ(HTTP_API_KEY="A" * 56)),
    "no key": (KEEPS_OUT, environ(HTTP_API_KEY="")),
    "what is no key": (KEEPS_OUT, environ(HTTP_API_KEY="' OR 1=1 --")),
    "a key not met before": (KEEPS_OUT, forgotten),
    "revoked": (KEEPS_OUT, remembered(revoked)),
    "an expiry": (KEEPS_OUT, remembered(key(expires_at=SOON))),
    "an allow-list": (KEEPS_OUT, remembered(bot(ip_allow_list=["198.51.100.1"]))),
    "a window": (KEEPS_OUT, remembered(bot(nonce_window=1000))),
    "a missing permission": (KEEPS_OUT, remembered(bot(permissions=["query-ledger"]))),
    "an unknown method": (KEEPS_OUT, method("Nonsense")),
    "a method not served": (KEEPS_OUT, method("CreditLines")),
    "a method that writes": (KEEPS_OUT, method("CancelAll")),
    "a method that tells of the key": (KEEPS_OUT, method("GetApiKeyInfo")),
    "a nonce in a header": (KEEPS_OUT, environ(HTTP_API_NONCE="1")),
    "a query": (KEEPS_OUT, environ(QUERY_STRING="amount=9")),
    "a charset": (KEEPS_OUT, environ(CONTENT_TYPE=f"{FORM}; charset=utf-8")),
    "no media type": (KEEPS_OUT, environ(CONTENT_TYPE="")),
    "another media type": (KEEPS_OUT, environ(CONTENT_TYPE="text/plain")),
    "JSON": (KEEPS_OUT, environ(CONTENT_TYPE="application/json")),
    "plain http": (KEEPS_OUT, environ(**{"wsgi.url_scheme": "http"})),
    "a proxy that is not listed": (
        KEEPS_OUT, environ(**{"wsgi.url_scheme": "http"}, HTTP_X_FORWARDED_PROTO="https"),
    ),
    "another verb": (KEEPS_OUT, environ(REQUEST_METHOD="PUT")),
    "an empty body": (KEEPS_OUT, body("")),
    "a long form": (KEEPS_OUT, body(f"nonce=1&a={'x' * 4000}&b={'x' * 4000}&c={'x' * 4000}")),
    "a length that is none": (KEEPS_OUT, environ(CONTENT_LENGTH="1e1")),
    "failed before": (KEEPS_OUT, failed(1)),
    "locked out": (KEEPS_OUT, failed(3)),
    "flooding": (KEEPS_OUT, failed(9)),
}  # fmt: skip
