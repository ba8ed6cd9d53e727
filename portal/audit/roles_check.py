"""Whether the role that serves could rewrite the history (security AU-3)."""

from collections.abc import Sequence

from django.conf import settings
from django.core import checks

from portal.audit import roles

OWNS = (
    "The role of DATABASE_URL could change the history, or put aside the triggers that keep it. Serve with a role of "
    "its own that owns nothing: manage.py databaseroles, and docs/operating.md."
)


@checks.register(checks.Tags.database, deploy=True)
def check_roles(app_configs: object, databases: Sequence[str] | None = None, **kwargs: object) -> list[checks.Warning]:
    """With `check --deploy --database default` only: it asks the database, and `migrate` runs as the owner."""
    if settings.DEBUG or not databases or "default" not in databases or not roles.may_rewrite_history():
        return []
    return [checks.Warning(OWNS, id="audit.W001")]
