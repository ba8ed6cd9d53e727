"""The bots' API as Django loads it."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from accounts.api_keys.permission_catalogue import Catalogue


class ApiConfig(AppConfig):
    name = "portal.api"
    label = "api"
    verbose_name = "Bots' API"

    def ready(self) -> None:
        """Have the pages ask here what stands behind each permission."""
        from accounts.api_keys.permission_catalogue import told_by

        told_by(_catalogue)


def _catalogue() -> "Catalogue":
    from accounts.api_keys.permission_catalogue import Catalogue, Method
    from accounts.models.service_user import Permission
    from portal.api.methods import PRIVATE
    from portal.api.permissions import PERMISSIONS

    unlocks = {
        permission: tuple(
            Method(name, name in PRIVATE) for name, needed in PERMISSIONS.items() if permission.value in needed
        )
        for permission in Permission
    }
    return Catalogue(
        unlocks,
        served={permission for permission, methods in unlocks.items() if any(each.is_served for each in methods)},
        others=frozenset(name for name in PRIVATE if not PERMISSIONS[name] & set(Permission.values)),
    )
