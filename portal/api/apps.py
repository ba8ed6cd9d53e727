"""The bots' API as Django loads it."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "portal.api"
    label = "api"
    verbose_name = "Bots' API"

    def ready(self) -> None:
        """Tell the pages what stands behind each permission."""
        from accounts import served
        from accounts.models.service_user import Permission
        from portal.api.methods import PRIVATE
        from portal.api.permissions import PERMISSIONS

        for permission in Permission:
            opened = [method for method, needed in PERMISSIONS.items() if permission.value in needed]
            served.UNLOCKS[permission] = tuple(served.Method(method, method in PRIVATE) for method in opened)
            if any(method in PRIVATE for method in opened):
                served.SERVED.add(permission)
        served.OTHERS.update(method for method in PRIVATE if not PERMISSIONS[method] & set(Permission.values))
