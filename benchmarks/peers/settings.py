"""Settings of one peer, which BENCHMARK_PEER names. Those with middleware have what `startproject` gives."""

from environ import Env

env = Env()
PEER = env.str("BENCHMARK_PEER")
DEBUG = False
SECRET_KEY = env.str("BENCHMARK_SECRET")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = f"benchmarks.peers.{PEER}"
DATABASES = {"default": {**env.db("DATABASE_URL"), "CONN_MAX_AGE": None}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "benchmarks.peers"]
MIDDLEWARE: list[str] = []
if PEER in {"rest", "team"}:
    INSTALLED_APPS += ["django.contrib.messages"]
    MIDDLEWARE += [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
if PEER == "rest":
    INSTALLED_APPS += ["rest_framework", "rest_framework_api_key"]
    REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
