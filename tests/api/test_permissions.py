"""AP-10: which permission opens which method."""

import pytest

from accounts.api_keys import lifecycle
from accounts.api_keys.permission_catalogue import catalogue
from accounts.models import ServiceUser
from accounts.models.service_user import Permission
from portal.api import methods
from portal.api.permissions import COSTS, PERMISSIONS, opens

# Written out again, so that a slip in the table is seen: method, then every identifier that opens it alone.
EXPECTED = {
    "Balance": "query-funds",
    "BalanceEx": "query-funds",
    "CreditLines": "query-funds",
    "TradeVolume": "query-funds",
    "TradeBalance": "query-open-trades query-funds",
    "OpenOrders": "query-open-trades",
    "OpenPositions": "query-open-trades",
    "Level3": "query-open-trades",
    "QueryOrders": "query-open-trades query-closed-trades",
    "OrderAmends": "query-open-trades query-closed-trades",
    "ClosedOrders": "query-closed-trades",
    "TradesHistory": "query-closed-trades",
    "QueryTrades": "query-closed-trades",
    "Ledgers": "query-ledger",
    "QueryLedgers": "query-ledger",
    "AddExport": "export-data",
    "ExportStatus": "export-data",
    "RetrieveExport": "export-data",
    "RemoveExport": "export-data",
    "GetApiKeyInfo": "*",
    "GetWebSocketsToken": "create-ws-token",
    "AddOrder": "modify-trades",
    "AddOrderBatch": "modify-trades",
    "AmendOrder": "modify-trades",
    "EditOrder": "modify-trades",
    "CancelOrder": "close-trades",
    "CancelOrderBatch": "close-trades",
    "CancelAll": "close-trades",
    "CancelAllOrdersAfter": "close-trades",
    "DepositMethods": "add-funds",
    "DepositAddresses": "add-funds query-funds",
    "DepositStatus": "add-funds query-funds",
    "WithdrawMethods": "withdraw-funds",
    "WithdrawAddresses": "withdraw-funds",
    "WithdrawInfo": "withdraw-funds",
    "Withdraw": "withdraw-funds",
    "WithdrawStatus": "withdraw-funds query-funds",
    "WithdrawCancel": "withdraw-funds",
    "WalletTransfer": "query-funds",
    "CreateSubaccount": "withdraw-funds",
    "AccountTransfer": "withdraw-funds",
    "Earn/Strategies": "*",
    "Earn/Allocations": "query-funds",
    "Earn/Allocate": "earn-funds",
    "Earn/Deallocate": "earn-funds",
    "Earn/AllocateStatus": "earn-funds query-funds",
    "Earn/DeallocateStatus": "earn-funds query-funds",
}
IDENTIFIERS = [*(permission.value for permission in Permission), "create-ws-token"]


def test_every_method_is_in_the_table_and_none_beside_it():
    assert PERMISSIONS.keys() == EXPECTED.keys()
    assert methods.PRIVATE.keys() <= PERMISSIONS.keys()
    assert COSTS.keys() <= PERMISSIONS.keys()


@pytest.mark.parametrize("method", EXPECTED)
def test_a_permission_opens_its_methods_and_no_other(method):
    """DESIGN K3, AP-10: every endpoint times every permission."""
    some = EXPECTED[method].split()
    expected = {identifier: some == ["*"] or identifier in some for identifier in IDENTIFIERS}
    assert {identifier: opens(frozenset({identifier}), method) for identifier in IDENTIFIERS} == expected


def test_no_permission_opens_only_what_asks_for_a_valid_key():
    assert {method for method in PERMISSIONS if opens(frozenset(), method)} == {"GetApiKeyInfo", "Earn/Strategies"}


def test_the_pages_know_which_permissions_are_served():
    assert set(Permission) == catalogue().served


@pytest.mark.django_db
@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_over_the_wire_a_permission_opens_its_methods_and_no_other(treasury, identifier):
    """AP-10: table test: every endpoint × every permission, asked by a key that holds this one alone."""
    held = [] if identifier == "create-ws-token" else [identifier]
    websocket = identifier == "create-ws-token"
    ServiceUser.objects.filter(pk=treasury.bot.service_user.pk).update(permissions=held, websocket=websocket)
    lifecycle.touch(treasury.bot.service_user)
    denied = {method for method in EXPECTED if treasury.ask(method)["error"] == ["EGeneral:Permission denied"]}
    opened = {method for method, needed in EXPECTED.items() if needed == "*" or identifier in needed.split()}
    assert denied == EXPECTED.keys() - opened
