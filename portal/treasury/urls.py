"""Addresses, balances and withdrawals."""

from django.urls import path

from portal.treasury.views import (
    addresses,
    balances,
    deposits,
    import_addresses,
    orders,
    withdraw,
    withdrawals,
)

app_name = "treasury"

urlpatterns = [
    path("addresses/", addresses.addresses, name="addresses"),
    path("addresses/new/", addresses.new_address, name="new_address"),
    path("addresses/import/<int:account_id>/", import_addresses.import_addresses, name="import_addresses"),
    path("addresses/<int:pk>/rename/", addresses.rename, name="rename_address"),
    path("addresses/<int:pk>/remove/", addresses.remove, name="remove_address"),
    path("balances/", balances.balances, name="balances"),
    path("balances/<int:pk>/", balances.account_balances, name="account_balances"),
    path("balances/<int:pk>/orders/", orders.account_orders, name="account_orders"),
    path("balances/<int:pk>/deposits/", deposits.account_deposits, name="account_deposits"),
    path("balances/<int:pk>/try-deposit/", deposits.try_deposit, name="try_deposit"),
    path("withdrawals/", withdrawals.withdrawals, name="withdrawals"),
    path("withdrawals/now/", withdrawals.withdrawals_now, name="withdrawals_now"),
    path("withdrawals/<str:reference>/call-back/", withdrawals.call_back, name="call_back"),
    path("withdrawals/new/", withdraw.new_withdrawal, name="new_withdrawal"),
    path("withdrawals/new/preview/", withdraw.preview_withdrawal, name="preview_withdrawal"),
    path("withdrawals/new/review/<str:packed>/", withdraw.review_withdrawal, name="review_withdrawal"),
    # No reference is as short as the words above.
    path("withdrawals/<str:reference>/", withdrawals.withdrawal, name="withdrawal"),
    path("withdrawals/<str:reference>/stage/", withdrawals.withdrawal_stage, name="withdrawal_stage"),
    path("withdrawals/<str:reference>/now/", withdrawals.withdrawal_now, name="withdrawal_now"),
]
