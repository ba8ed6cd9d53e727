"""The WSGI application: `portal.application`, in a process whose sealing keys are those of its database.

It is what `portal.asgi` serves. A WSGI server of its own cannot cut off a slow body, nor tell `X_Forwarded_For` from
`X-Forwarded-For`: behind one, a proxy has to do both.
"""

from django.db import connection

from portal.application import application
from portal.core.secrets.canary import refuse_wrong_keys

__all__ = ["application"]

# A server with a wrong key would seal what no other could open.
refuse_wrong_keys()
connection.close()
