"""The bots' API as Django loads it."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "portal.api"
    label = "api"
    verbose_name = "Bots' API"

    def ready(self) -> None:
        """Tell the pages which permissions have something behind them."""
        from accounts.models.service_user import Permission
        from accounts.served import SERVED
        from portal.api.methods import PRIVATE
        from portal.api.permissions import PERMISSIONS

        served = frozenset[str]().union(*(PERMISSIONS[method] for method in PRIVATE))
        SERVED.update(permission for permission in Permission if permission.value in served)
