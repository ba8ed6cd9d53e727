"""The WSGI application: `portal.application`, in a process whose sealing keys are those of its database.

It is what `portal.asgi` serves. A WSGI server of its own cannot cut off a slow body, nor tell `X_Forwarded_For` from
`X-Forwarded-For`: behind one, a proxy has to do both.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from portal.application import application
from portal.core.observing import writing
from portal.core.secrets.canary import refuse_wrong_keys
from portal.starting import refusing_in_a_line

__all__ = ["application"]


def _begin() -> None:
    # A server with a wrong key would seal what no other could open.
    with refusing_in_a_line():
        refuse_wrong_keys()
    connection.close()
    writing.begin()


try:
    asyncio.get_running_loop()
except RuntimeError:
    _begin()
else:
    # uvicorn with several workers imports inside its event loop, where Django lets nobody ask the database.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_begin).result()
