"""A credential is tried before it counts, and each thing that is wrong with it is said beside the field it is in."""

from datetime import UTC, datetime

import pytest

from portal.core.errors import Invalid, Unavailable
from portal.venues.kraken import exchanges
from portal.venues.kraken.connection import refusals, trial
from portal.venues.kraken.credentials import key_info
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Purpose
from portal.venues.kraken.upstream.outcomes import AnswerLost
from tests import ports
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.connection.exchange import BOTH, QUERIES, REST, WITHDRAW, info, secret_of, typed

pytestmark = pytest.mark.django_db


def tried(*credentials, **known):
    return trial.try_all(exchanges.exchanges()[0], credentials or BOTH, **known)


def test_what_the_exchange_says_of_each(keys):
    withdraw, rest = tried()
    assert set(withdraw.info.permissions) == {"withdraw-funds", "query-funds"}
    assert (rest.info.ip_allowlist, rest.info.nonce_window, rest.info.expires_at) == (("127.0.0.1",), 0, None)
    assert [path for path, _ in keys.exchange.asked] == [
        f"/0/private/{method}" for method in ("GetApiKeyInfo", "WithdrawMethods", "GetApiKeyInfo", "Balance")
    ]


def test_a_credential_that_may_only_withdraw_is_not_asked_for_a_balance(keys):
    keys.info[WITHDRAW]["permissions"] = ["withdraw-funds"]
    assert tried(typed(Purpose.WITHDRAW, WITHDRAW))[0].info.permissions == ("withdraw-funds",)


def test_one_for_orders_alone_reads_no_balance_and_serves(keys):
    keys.info[REST]["permissions"] = ["modify-trades"]
    assert tried(typed(Purpose.REST, REST))[0].info.permissions == ("modify-trades",)
    assert [path for path, _ in keys.exchange.asked] == ["/0/private/GetApiKeyInfo"]


def test_nonces_go_on_above_the_one_that_the_exchange_has_seen(keys):
    """Another client counted finer or is ahead: within a window its key info is still told."""
    ahead = 2**62
    keys.info[REST]["nonce"] = "0"
    keys.results["Balance"] = {}
    original = keys.refusal

    def refusal(handler, public, method):
        if method == "GetApiKeyInfo":
            keys.info[public]["nonce"] = str(ahead)
            return []
        return original(handler, public, method)

    keys.refusal = refusal
    (found,) = tried(typed(Purpose.REST, REST))
    assert found.nonce == ahead + 1
    assert keys.exchange.nonces()[-1] == ahead + 1


def exhaust(keys):
    """All nonces but the last are used, and the exchange tells so within the key's window."""
    keys.refusal = lambda *_: []
    keys.info[REST]["nonce"] = str(2**64 - 1)


BAD = {
    "a secret that is no base64": (
        lambda k: None, typed(Purpose.REST, REST, secret="no secret!"), refusals.NO_PRIVATE_HALF, "rest_secret",
    ),
    "another key's secret": (
        lambda k: None, typed(Purpose.REST, REST, secret=secret_of(WITHDRAW)), refusals.WRONG_PRIVATE_HALF,
        "rest_secret",
    ),
    "a key that nobody knows": (lambda k: k.info.clear(), BOTH[1], refusals.UNKNOWN_KEY, "rest_public"),
    "a nonce that is too low": (
        lambda k: k.info[REST].update(nonce=str(2**63)), BOTH[1], refusals.NONCE_TOO_LOW, "rest_public",
    ),
    "no permission": (lambda k: k.info[REST].update(permissions=[]), BOTH[1], refusals.MAY_NOTHING, "rest_public"),
    "Withdraw alone for the rest": (
        lambda k: k.info[REST].update(permissions=["withdraw-funds"]), BOTH[1], refusals.MAY_NOTHING, "rest_public",
    ),
    "no Withdraw": (
        lambda k: k.info[WITHDRAW].update(permissions=["query-funds"]), BOTH[0], refusals.MAY_NOT_WITHDRAW,
        "withdraw_public",
    ),
    "a balance that is denied": (
        lambda k: k.errors.update({(REST, "Balance"): ["EGeneral:Permission denied"]}), BOTH[1],
        refusals.DENIED[Purpose.REST], "rest_public",
    ),
    "ways to withdraw that are denied": (
        lambda k: k.errors.update({(WITHDRAW, "WithdrawMethods"): ["EGeneral:Permission denied"]}), BOTH[0],
        refusals.DENIED[Purpose.WITHDRAW], "withdraw_public",
    ),
    "an account that is closed": (
        lambda k: k.errors.update({(REST, "Balance"): ["EAccount:Account temporary disabled"]}), BOTH[1],
        refusals.CLOSED.format(said="EAccount:Account temporary disabled"), "rest_public",
    ),
    "no nonces left": (
        exhaust, BOTH[1], refusals.NONCE_TOO_HIGH, "rest_public",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "credential", "said", "field"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_beside_its_field(keys, spoil, credential, said, field):
    spoil(keys)
    with pytest.raises(Invalid) as refused:
        tried(credential)
    assert (refused.value.message, refused.value.field) == (said, field)


BUSY = {
    "EGeneral:Temporary lockout": refusals.LOCKED_OUT,
    "EAPI:Rate limit exceeded": refusals.BUSY.format(said="EAPI:Rate limit exceeded"),
    "EService:Unavailable": refusals.BUSY.format(said="EService:Unavailable"),
}


@pytest.mark.parametrize(("error", "said"), BUSY.items(), ids=BUSY)
def test_what_only_time_mends_says_so_and_asks_no_further(keys, error, said):
    keys.errors["", "GetApiKeyInfo"] = [error]
    with pytest.raises(Unavailable) as refused:
        tried()
    assert refused.value.message == said
    assert len(keys.exchange.asked) == 1


def test_one_of_another_account(keys):
    keys.info[REST]["iban"] = "BB11 AAAA BBBB CCCC"
    with pytest.raises(Invalid) as refused:
        tried()
    assert (refused.value.message, refused.value.field) == (refusals.OTHER_ACCOUNT, "rest_public")
    with pytest.raises(Invalid):
        tried(BOTH[0], owner="BB11 AAAA BBBB CCCC")


def test_an_exchange_that_cannot_be_reached():
    with pytest.raises(Unavailable) as refused:
        trial.try_all(Exchange("Test", f"http://127.0.0.1:{ports.lasting()}"), BOTH)
    assert refused.value.message == refusals.NO_REACH


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"error":[]}', b'{"result":{}}', b"[]", b""])
def test_what_is_no_exchange(keys, body):
    keys.exchange.says = answering(body)
    with pytest.raises(Unavailable) as refused:
        tried()
    assert refused.value.message == refusals.NO_SENSE


SHAPES = {
    "no key info": [],
    "permissions that are no list": info() | {"permissions": "all"},
    "a window that is no number": info("query-funds", nonceWindow="soon"),
    "a negative nonce": info("query-funds", nonce="-1"),
    "no allow-list at all": {name: value for name, value in info("query-funds").items() if name != "ipAllowlist"},
    "a permission of controls": info("query-funds\x00"),
    "an end beyond all time": info("query-funds", validUntil="9" * 19),
    "a thousand permissions": info(*["query-funds"] * 1000),
}


@pytest.mark.parametrize("said", SHAPES.values(), ids=SHAPES)
def test_key_info_of_another_shape(said):
    with pytest.raises(AnswerLost, match="another shape"):
        key_info.read(said)


def test_both_spellings_are_read():
    """The recorded answer of the exchange is in the other one."""
    recorded = {
        "api_key_name": "TestKey", "api_key": "123", "nonce": "123", "nonce_window": "15",
        "permissions": [*QUERIES, "create-ws-token"], "iban": "123", "valid_until": "1618230358", "query_from": "0",
        "query_to": "0", "created_time": "1522132642", "modified_time": "1618230358", "ip_allowlist": [""],
        "last_used": "1774350056",
    }  # fmt: skip
    said = key_info.read(recorded)
    assert (said.nonce, said.nonce_window, said.ip_allowlist, said.owner) == (123, 15, (), "123")
    assert said.expires_at == datetime(2021, 4, 12, 12, 25, 58, tzinfo=UTC)
    assert key_info.read(info(*QUERIES, nonceWindow=15)).nonce_window == 15
