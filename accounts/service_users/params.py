"""What the operations on Service Users and their keys take, by value."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from accounts.emergency_stop.given_back import Stopped
from accounts.service_users.key_settings import Limits
from policies.payload import added


@dataclass(frozen=True, slots=True)
class CreateServiceUser:
    """A new bot. `acknowledged`: whoever asks means it to withdraw without expiry or allow-list."""

    name: str
    account_id: int
    permissions: tuple[str, ...]
    expires_at: datetime | None
    query_start: datetime | None
    query_end: datetime | None
    websocket: bool
    nonce_window: int
    ip_allow_list: tuple[str, ...]
    acknowledged: bool = False
    purpose: str = ""
    withdrawal_cap: Decimal | None = added(None)  # noqa: RUF009  (says itself what it is)
    daily_cap: Decimal | None = added(None)  # noqa: RUF009  (says itself what it is)

    @property
    def limits(self) -> Limits:
        """Its permissions and settings as one value, as those of a bot that is there already are."""
        return Limits(
            permissions=self.permissions,
            expires_at=self.expires_at,
            query_start=self.query_start,
            query_end=self.query_end,
            websocket=self.websocket,
            nonce_window=self.nonce_window,
            ip_allow_list=self.ip_allow_list,
            purpose=self.purpose,
            withdrawal_cap=self.withdrawal_cap,
            daily_cap=self.daily_cap,
        )


@dataclass(frozen=True, slots=True)
class ChangeServiceUser:
    """New limits of a bot. `before` is what the approvers were shown: if it no longer holds, nothing is changed."""

    service_user_id: int
    account_id: int
    before: Limits
    after: Limits
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class LiftSuspension:
    """Which suspended bot may work again."""

    service_user_id: int

    @property
    def stopped(self) -> Stopped:
        """The bot alone."""
        return Stopped(bots=(self.service_user_id,))


@dataclass(frozen=True, slots=True)
class RemoveServiceUser:
    """Which bot is to go."""

    service_user_id: int


@dataclass(frozen=True, slots=True)
class RotateKey:
    """A new key for a bot, as it is: `limits` and `replaced`, the short names of its keys, are what was shown."""

    service_user_id: int
    account_id: int
    limits: Limits
    replaced: tuple[str, ...]
    overlap_hours: int
    expires_at: datetime | None
    acknowledged: bool = False

    @property
    def new_limits(self) -> Limits:
        """What the new key may do: what the bot may, until its own expiry."""
        return replace(self.limits, expires_at=self.expires_at)
