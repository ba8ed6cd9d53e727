"""Where to go after signing in: only ever a path of this portal (security SI-12)."""

from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme


def path_of_ours(wanted: str, *, host: str, is_secure: bool) -> str:
    """`wanted` as a path of the portal at `host`, with its query, or nothing if it points anywhere else."""
    if url_has_allowed_host_and_scheme(wanted, {host}, require_https=is_secure):
        parts = urlsplit(wanted)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        # Asked again of what is left: a path that begins with two slashes would be a host.
        if path.startswith("/") and url_has_allowed_host_and_scheme(path, set()):
            return path
    return ""
