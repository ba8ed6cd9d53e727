"""Commands that show no page."""

from typing import Any, Final

from django.core import checks
from django.core.checks.registry import registry
from django.core.management.base import BaseCommand

# What Django checks of these loads all pages there are, a fifth of what such a command took; so does what it checks of
# middleware, which has no tag.
OF_PAGES: Final = frozenset({checks.Tags.templates, checks.Tags.urls})


class PagelessCommand(BaseCommand):
    """A command that Django checks everything for but pages, which are nothing to it. `check` looks at them too."""

    def check(self, *args: Any, **options: Any) -> None:
        """Django's checks, but those of pages; or those that are named."""
        super().check(*args, **{"tags": registry.tags_available() - OF_PAGES, **options})
