"""The bots' API as Django loads it."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "portal.api"
    label = "api"
    verbose_name = "Bots' API"

    def ready(self) -> None:
        """Tell the pages what stands behind each permission."""
        from accounts.api_keys import permission_catalogue
        from accounts.models.service_user import Permission
        from portal.api.methods import PRIVATE
        from portal.api.permissions import PERMISSIONS

        for permission in Permission:
            opened = [method for method, needed in PERMISSIONS.items() if permission.value in needed]
            permission_catalogue.UNLOCKS[permission] = tuple(
                permission_catalogue.Method(method, method in PRIVATE) for method in opened
            )
            if any(method in PRIVATE for method in opened):
                permission_catalogue.SERVED.add(permission)
        permission_catalogue.OTHERS.update(
            method for method in PRIVATE if not PERMISSIONS[method] & set(Permission.values)
        )
