"""What can go wrong in the domain. Every message is fit to show to a person."""


class Busy(Exception):
    """The portal has its hands full with work of this kind, and nothing was begun. A page says when to come back."""


class DomainError(Exception):
    """A rule of the domain says no.

    `message` says what is wrong and what to do; `field` names the form field it belongs beside, if any.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(DomainError):
    """A value cannot be used."""


class Refused(DomainError):
    """The actor may not do this."""


class Denied(Refused):
    """A policy lets nobody do this, however many agree."""


class NotFound(DomainError):
    """There is no such thing in this Organization."""


class Conflict(DomainError):
    """The thing has moved on: decided, closed, changed or taken."""


class TooMany(Conflict):
    """As many are open as may be; one has to end before another begins."""


class Insufficient(Invalid):
    """More is asked than there is."""


class Unavailable(DomainError):
    """It cannot be done now; nothing was changed."""
