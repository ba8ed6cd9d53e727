"""Addresses and withdrawals."""

from django.urls import path

from portal.treasury.views.addresses import addresses
from portal.treasury.views.withdrawals import withdrawals

app_name = "treasury"

urlpatterns = [
    path("addresses/", addresses, name="addresses"),
    path("withdrawals/", withdrawals, name="withdrawals"),
]
