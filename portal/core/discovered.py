"""What apps put into a registry by a module of theirs, which nobody loads before somebody asks."""

from typing import Generic, TypeVar

from django.utils.module_loading import autodiscover_modules

T = TypeVar("T")


class Discovered(dict[str, T], Generic[T]):
    """By key. What is not there may be in an app whose `module` is not loaded yet, so all of them are, once.

    Few commands ever ask; what serves and works has loaded them before it begins (`portal.loading`).
    """

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module
        self._is_whole = False

    def __missing__(self, key: str) -> T:
        """Raises: KeyError where no app has it."""
        self.load()
        if key in self:
            return self[key]
        raise KeyError(key)

    def load(self) -> None:
        """Have all that there is put in."""
        if not self._is_whole:
            autodiscover_modules(self._module)
            self._is_whole = True
