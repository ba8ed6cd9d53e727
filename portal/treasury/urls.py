"""Addresses and withdrawals."""

from django.urls import path

from portal.treasury.views import addresses
from portal.treasury.views.withdrawals import withdrawals

app_name = "treasury"

urlpatterns = [
    path("addresses/", addresses.addresses, name="addresses"),
    path("addresses/new/", addresses.new_address, name="new_address"),
    path("addresses/<int:pk>/rename/", addresses.rename, name="rename_address"),
    path("addresses/<int:pk>/remove/", addresses.remove, name="remove_address"),
    path("withdrawals/", withdrawals, name="withdrawals"),
]
