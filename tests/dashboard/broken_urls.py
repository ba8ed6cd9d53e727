"""The URL map of a portal in which one page breaks."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from portal.urls import handler400, handler403, handler404, handler500
from portal.urls import urlpatterns as whole

__all__ = ["handler400", "handler403", "handler404", "handler500"]


@login_not_required
def broken(request):
    raise RuntimeError("the words of the fault")


urlpatterns = [path("broken/", broken), *whole]
