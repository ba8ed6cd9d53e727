"""Settings, read top to bottom. Each environment value is read once, here; production names what it misses."""

from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from portal import databases, place
from portal.local import keep_private, local_keys
from portal.log_settings import logging_here
from portal.middleware_settings import MIDDLEWARE as MIDDLEWARE  # noqa: PLC0414  (a setting)
from portal.starting import NotSet

BASE_DIR = place.BASE
env = Env()

PRODUCT_NAME = "Countersign"
VERSION = place.version()

# --- The environment -------------------------------------------------------------------------------------------------
DEBUG = env.bool("PORTAL_DEBUG", default=False)
VAR = Path(env.str("PORTAL_VAR", default=str(place.HOME / "var"))).resolve()
NEEDED = (
    "DATABASE_URL",
    "PORTAL_SECRET_KEY",
    "PORTAL_SEALING_KEYS",
    "PORTAL_BASE_URL",
    "PORTAL_ALLOWED_HOSTS",
    "EMAIL_URL",
    "PORTAL_MAIL_FROM",
)
if not DEBUG:
    missing = [name for name in NEEDED if not env.str(name, default="")]
    if missing:
        raise NotSet(missing)
    if not env.str("DATABASE_URL").startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database, or set PORTAL_DEBUG=1 to try it out.")
# What is written from here on, into VAR above all, is for the owner of this process alone.
keep_private(VAR)
local = local_keys(VAR) if DEBUG else {}
SECRET_KEY = env.str("PORTAL_SECRET_KEY", default=local.get("secret_key", ""))
SEALING_KEYS = env.str("PORTAL_SEALING_KEYS", default=local.get("sealing_keys", ""))
BASE_URL = env.str("PORTAL_BASE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("PORTAL_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
TRUSTED_PROXIES = env.list("PORTAL_TRUSTED_PROXIES", default=[])
REDIS_URL = env.str("REDIS_URL", default="")

# --- What is said of it ----------------------------------------------------------------------------------------------
LOG_FORMAT = env.str("PORTAL_LOG_FORMAT", default="text" if DEBUG else "json")
# Where unexpected errors are reported to, in the way of Sentry; nothing is unless this is set.
ERRORS_DSN = env.str("PORTAL_ERRORS_DSN", default="")
# Where traces go, by OTLP over HTTP, and of how many calls, pages and requests of sockets there is one.
TRACES_ENDPOINT = env.str("PORTAL_TRACES_ENDPOINT", default="")
TRACES_SHARE = env.float("PORTAL_TRACES_SHARE", default=0.01)
LOGGING = logging_here(LOG_FORMAT)

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
    "django_tasks",
    "django_tasks_db",
    "portal.core",
    "portal.jobs",
    "portal.audit",
    "policies",
    "accounts",
    # After accounts: its models ask for the User class while they load.
    "django_otp_webauthn",
    "portal.venues.journal",
    "portal.venues.paper",
    "portal.venues.kraken",
    "portal.treasury",
    "portal.api",
    "portal.dashboard",
    "portal.operating",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [place.SITE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "portal.dashboard.navigation.navigation",
                "portal.dashboard.read_only.changes",
            ],
            "builtins": ["portal.core.templatetags.portal", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Serving ---------------------------------------------------------------------------------------------------------
# Of each process: so many threads answer bots, and as many others answer pages.
THREADS = env.int("PORTAL_THREADS", default=8)
# Seconds in which a body has to have come. Whoever takes longer than the first moment holds one of so many places.
BODY_AT_ONCE, BODY_DEADLINE = 0.5, 10.0
SLOW_BODIES, SLOW_BODIES_OF_SOURCE = 512, 128

# --- Storage ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": databases.settled(databases.named(env, default=f"sqlite:///{VAR / 'portal.sqlite3'}"))}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Tests race on several connections, which an SQLite database in memory does not have.
    DATABASES["default"]["TEST"] = {"NAME": VAR / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "accounts.authentication.session_store"

# --- People ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.authentication.backend.Backend"]
PASSWORD_HASHERS = ["accounts.authentication.passwords.Argon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.authentication.passwords.NotTooLong"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.authentication.passwords.HoldsNoName"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/inbox/"
OTP_TOTP_SYNC = False
# A passkey belongs to one exact site: both come from PORTAL_BASE_URL, never from the request.
OTP_WEBAUTHN_RP_NAME = PRODUCT_NAME
OTP_WEBAUTHN_RP_ID = urlsplit(BASE_URL).hostname or ""
OTP_WEBAUTHN_ALLOWED_ORIGINS = [BASE_URL]
OTP_WEBAUTHN_CREDENTIAL_MODEL = "accounts.Passkey"
OTP_WEBAUTHN_ATTESTATION_MODEL = "accounts.PasskeyAttestation"
OTP_WEBAUTHN_HELPER_CLASS = "accounts.factors.webauthn.Helper"
PASSKEY_CHALLENGE = timedelta(minutes=5)
# How long somebody without a factor may take to enrol the first one, from the link in their mail.
ENROLMENT = timedelta(minutes=30)
PENDING_SIGN_IN, PENDING_FAILURES = timedelta(minutes=5), 5
# Failures in a quarter of an hour: of one address from one source, and of one source whatever it tries.
PASSWORD_FAILURES = 5
PASSWORD_FAILURES_OF_SOURCE = 50
STEP_UP_FRESH = timedelta(minutes=5)
# After a reset of their factors a person approves no money for this long (DESIGN M4).
AFTER_RESET = timedelta(hours=24)
# A secret that nobody reveals for this long is dead (DESIGN K2); until then the key is power on its way to its maker.
CLAIM_KEY_WITHIN = timedelta(hours=72)

# --- Mail ------------------------------------------------------------------------------------------------------------
# Without a server to send it, mail is kept as files; `consolemail://` prints it instead.
mail = env.email("EMAIL_URL", default=f"filemail:///{VAR / 'mail'}")
EMAIL_BACKEND, EMAIL_FILE_PATH = mail["EMAIL_BACKEND"], mail["EMAIL_FILE_PATH"]
EMAIL_HOST, EMAIL_PORT = mail["EMAIL_HOST"] or "localhost", mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_USER"] or "", mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = mail.get("EMAIL_USE_TLS", False), mail.get("EMAIL_USE_SSL", False)
# For each answer of the server: nothing but mail waits for it.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("PORTAL_MAIL_FROM", default="countersign@localhost")

# Mail is queued in the database, by the transaction that it tells of; `manage.py work` sends it.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- Measures --------------------------------------------------------------------------------------------------------
# Who may have `/metrics`: whoever shows the token, calls from these addresses, or both. With neither there is none.
METRICS_TOKEN = env.str("PORTAL_METRICS_TOKEN", default="")
METRICS_FROM = env.list("PORTAL_METRICS_FROM", default=[])
# All processes of this machine write there: each second what they noted, and none where it is 0.
METRICS_DIR = Path(env.str("PORTAL_METRICS_DIR", default=str(VAR / "metrics")))
METRICS_WRITTEN_EVERY = 1.0
# How long what the database says of the installation is said again; 0 looks each time.
METRICS_KEPT_SECONDS = 10.0

# --- Bots ------------------------------------------------------------------------------------------------------------
# Off for an installation whose bots are all its own: no counter of calls or orders refuses them.
API_LIMITS = env.bool("PORTAL_API_LIMITS", default=True)
# A call that only reads does not wait for the disk with its nonce (PostgreSQL): if the database itself crashes, it may
# forget the last moment's. What moves anything waits in any case.
API_LAZY_READS = env.bool("PORTAL_API_LAZY_READS", default=True)
# Seconds between two writes of what the calls of keys are counted as; 0 leaves it to `accounts.api_keys.usage.flush`.
KEY_USE_WRITTEN_EVERY = 1.0
# How long what `/readyz` found is said again, to however many ask; 0 looks each time, in the thread that asks.
READINESS_KEPT_SECONDS = 5.0
API_BODY_LIMIT = 256 * 1024
API_LOCKOUT_FAILURES = 20
API_LOCKOUT = timedelta(minutes=15)
# Calls of one source that failed before their signature was accepted; above the maximum the next is not looked at.
API_FLOOD_MAXIMUM = 1000.0
API_FLOOD_DECAY = 50.0
# Calls of public methods by one source; they leak as fast.
API_PUBLIC_MAXIMUM = 1000.0

# --- Sockets ---------------------------------------------------------------------------------------------------------
# Of each process: so many threads read the database for sockets, and so many sockets may be open.
STREAM_THREADS = env.int("PORTAL_STREAM_THREADS", default=4)
STREAM_SOCKETS = env.int("PORTAL_STREAM_SOCKETS", default=2000)
# Of one source: open in one process, and opened within ten minutes, in which one more is a ban (reference §5).
STREAM_SOCKETS_OF_SOURCE = env.int("PORTAL_STREAM_SOCKETS_OF_SOURCE", default=200)
STREAM_CONNECTS = env.int("PORTAL_STREAM_CONNECTS", default=150)
STREAM_CONNECTS_WITHIN = STREAM_BAN = timedelta(minutes=10)
# Of one key, in all processes, and of one socket.
STREAM_SOCKETS_OF_KEY = env.int("PORTAL_STREAM_SOCKETS_OF_KEY", default=20)
STREAM_SUBSCRIPTIONS = 250
STREAM_MESSAGES_AT_ONCE, STREAM_MESSAGES_PER_SECOND = 200.0, 50.0
# Bytes: the longest message that is read, and what may wait for a slow reader.
STREAM_MESSAGE_LIMIT = 64 * 1024
STREAM_QUEUE_LIMIT = 512 * 1024
# Seconds without a message from a socket that has subscribed to nothing.
STREAM_IDLE = 60.0

# --- Backups ---------------------------------------------------------------------------------------------------------
# Sealed to these age public keys (by comma); a drill opens them by the private key in that file, on that server.
BACKUP_RECIPIENT = env.str("PORTAL_BACKUP_RECIPIENT", default="")
BACKUP_DIR = Path(env.str("PORTAL_BACKUP_DIR", default=str(VAR / "backups"))).resolve()
BACKUP_IDENTITY = env.str("PORTAL_BACKUP_IDENTITY", default="")
DRILL_URL = env.str("PORTAL_DRILL_URL", default="")

# --- The paper exchange ----------------------------------------------------------------------------------------------
# How its prices move: walk:SEED, still, or csv:FILE with lines `time,pair,price`.
PAPER_PRICES = env.str("PORTAL_PAPER_PRICES", default="walk:1")

# --- Real exchanges --------------------------------------------------------------------------------------------------
# Where Accounts of a real exchange may be connected, as name=url: the operator's list, nobody types an address
# (security IN-5). What is wrong with it is said by `portal.venues.kraken.exchanges`.
EXCHANGES = env.list("PORTAL_EXCHANGES", default=["Kraken=https://api.kraken.com"])
# Whose prices public methods tell: a name of that list, or nothing for the paper exchange's.
PUBLIC_EXCHANGE = env.str("PORTAL_PUBLIC_EXCHANGE", default="")

# Exports of a bot: how long they are kept, and how many at once.
EXPORTS_KEPT = timedelta(days=14)
EXPORTS_AT_ONCE = 10

# --- The web ---------------------------------------------------------------------------------------------------------
SECURE = not DEBUG
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
# The longest that an Organization may allow; what it does allow is looked at on every request.
SESSION_COOKIE_AGE = 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE: Literal["Lax"] = "Lax"
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE
# A proxy that passes the host on without its port leaves no other way to know where the pages are.
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(BASE_URL))]
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
MESSAGE_STORAGE = "accounts.authentication.message_storage.Storage"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [place.SITE / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# While DEBUG is on.
DEFAULT_EXCEPTION_REPORTER_FILTER = "portal.core.web.debug_pages.ReporterFilter"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = USE_I18N = True
