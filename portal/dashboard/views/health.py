"""For whoever keeps the portal running: is it alive, and can it serve?"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that a slow database does not get it killed."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database can be reached and every migration is applied, else 503; the body says which."""
    database = migrations = False
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        database = True
        migrations = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        pass
    ready = database and migrations
    return JsonResponse({"ready": ready, "database": database, "migrations": migrations}, status=200 if ready else 503)
