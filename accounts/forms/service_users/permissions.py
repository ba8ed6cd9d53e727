"""The ten permissions as a form draws them: each with what it unlocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accounts.api_keys.permission_catalogue import LINES, Method, catalogue
from accounts.models.service_user import PERMISSION_GROUPS, Permission


@dataclass(frozen=True, slots=True)
class PermissionBox:
    """One permission: what it is for, and the methods behind it."""

    value: str
    label: str
    line: str
    methods: tuple[Method, ...]
    is_checked: bool
    is_served: bool
    moves_money: bool


def boxes(ticked: Iterable[str]) -> Iterator[tuple[str, list[PermissionBox]]]:
    """All of them in their three groups."""
    chosen = {str(value) for value in ticked}
    for title, group in PERMISSION_GROUPS.items():
        yield title, [_box(permission, permission.value in chosen) for permission in group]


def _box(permission: Permission, is_checked: bool) -> PermissionBox:
    return PermissionBox(
        value=permission.value,
        label=permission.label,
        line=LINES[permission],
        methods=catalogue().unlocks[permission],
        is_checked=is_checked,
        is_served=permission in catalogue().served,
        moves_money=permission is Permission.WITHDRAW,
    )
