"""What a request of a page goes through, from the outside inwards: a part of the settings."""

from typing import Final

# ApiKeyMiddleware answers /0/ itself: a bot's call runs no session, CSRF, message or template machinery.
MIDDLEWARE: Final = [
    "portal.api.middleware.ApiKeyMiddleware",
    "portal.core.web.frame_room.FrameRoomMiddleware",
    "portal.dashboard.views.health.ProbesMiddleware",
    "portal.operating.metrics.view.MetricsMiddleware",
    "portal.core.web.security_headers.SecurityHeadersMiddleware",
    "portal.api.misdirected_calls.StrayCallsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.core.web.request_limits.BodyLimitMiddleware",
    "portal.core.web.proxies.OriginMiddleware",
    "portal.dashboard.read_only.ReadOnlyMiddleware",
    "portal.dashboard.middleware.AwayMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.MemberMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.EnrolmentMiddleware",
    "portal.dashboard.middleware.ElsewhereMiddleware",
    "portal.dashboard.middleware.NotFoundMiddleware",
    "portal.dashboard.middleware.OnlyForFormsMiddleware",
]
