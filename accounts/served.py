"""Which permissions have something behind them yet. The bots' API fills this in when it loads."""

from accounts.models.service_user import Permission

SERVED: set[Permission] = set()
