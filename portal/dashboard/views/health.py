"""For whoever keeps the portal running: is it alive, and can it serve?"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from portal.api import throttle


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a slow database does not get it killed."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database can be reached and every migration is applied, else 503; the body says which.

    It also says where failed calls of bots are counted. Without its Redis the portal goes on, each process by itself:
    that is `degraded`, and no reason to take it away.
    """
    database = migrations = False
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        database = True
        migrations = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        pass
    ready = database and migrations
    counted = throttle.place()
    return JsonResponse(
        {
            "ready": ready,
            "database": database,
            "migrations": migrations,
            "flood_limit": counted.name,
            "degraded": counted.is_degraded,
        },
        status=200 if ready else 503,
    )
