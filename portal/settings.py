"""Settings, read top to bottom. Each environment value is read once, here; production names what it misses."""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from portal.local import local_keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()

PRODUCT_NAME = "Countersign"

# --- The environment -------------------------------------------------------------------------------------------------
DEBUG = env.bool("PORTAL_DEBUG", default=False)
VAR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var"))).resolve()
NEEDED = ("DATABASE_URL", "PORTAL_SECRET_KEY", "PORTAL_SEALING_KEYS", "PORTAL_BASE_URL", "PORTAL_ALLOWED_HOSTS")
if not DEBUG:
    missing = [name for name in NEEDED if not env.str(name, default="")]
    if missing:
        raise ImproperlyConfigured(f"Set {', '.join(missing)} in the environment, or PORTAL_DEBUG=1 to try it out.")
    if not env.str("DATABASE_URL").startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database, or set PORTAL_DEBUG=1 to try it out.")
local = local_keys(VAR) if DEBUG else {}
SECRET_KEY = env.str("PORTAL_SECRET_KEY", default=local.get("secret_key", ""))
SEALING_KEYS = env.str("PORTAL_SEALING_KEYS", default=local.get("sealing_keys", ""))
BASE_URL = env.str("PORTAL_BASE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("PORTAL_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
TRUSTED_PROXIES = env.list("PORTAL_TRUSTED_PROXIES", default=[])

# --- Applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_otp",
    "heroicons",
    "portal.core",
    "portal.audit",
    "policies",
    "accounts",
    "portal.venues.paper",
    "portal.treasury",
    "portal.api",
    "portal.dashboard",
]
# ApiKeyMiddleware answers /0/ itself: a bot's call runs no session, CSRF, message or template machinery.
MIDDLEWARE = [
    "portal.api.middleware.ApiKeyMiddleware",
    "portal.core.csp.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.core.limits.BodyLimitMiddleware",
    "portal.core.origin.OriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.MemberMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.dashboard.middleware.NotFoundMiddleware",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "portal.dashboard.navigation.navigation",
            ],
            "builtins": ["portal.core.templatetags.portal", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Storage ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'portal.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # SQLite has no row locks: a transaction that may write takes the one lock at its start, and waits for it.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    # Tests race on several connections, which an SQLite database in memory does not have.
    DATABASES["default"]["TEST"] = {"NAME": VAR / "test.sqlite3"}
else:
    # Without this PostgreSQL plans the signed call's statement anew each time, which halves the rate.
    DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 5
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- People ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["accounts.passwords.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/inbox/"
OTP_TOTP_SYNC = False
PENDING_SIGN_IN = timedelta(minutes=5)
PENDING_FAILURES = 5
STEP_UP_FRESH = timedelta(minutes=5)
SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=12)

# --- Bots ------------------------------------------------------------------------------------------------------------
# The call counter of one key: the Pro tier of the protocol (reference §5).
API_CALLS_MAXIMUM = 20.0
API_CALLS_DECAY = 1.0
API_BODY_LIMIT = 256 * 1024
API_LOCKOUT_FAILURES = 20
API_LOCKOUT = timedelta(minutes=15)
# Calls of one source that failed before their signature was accepted; above the maximum the next is not looked at.
API_FLOOD_MAXIMUM = 1000.0
API_FLOOD_DECAY = 50.0

# --- The web ---------------------------------------------------------------------------------------------------------
SECURE = not DEBUG
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.dashboard.views.errors.csrf_failure"
# A plain call to the bots' API must be answered, never redirected, so Django does not redirect: the proxy does.
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = None
USE_X_FORWARDED_HOST = False
# W002: SecurityHeadersMiddleware sets X-Frame-Options itself. W008: see SECURE_SSL_REDIRECT.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W008"]
# Nothing here takes a file, and BodyLimitMiddleware refuses a body above this before a byte of it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
