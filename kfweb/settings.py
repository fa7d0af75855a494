"""Settings, read once from the environment. Every variable is listed in docs/reference/environment.md."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from kfweb.env import env, env_bool, env_int, env_list, kept_secret
from kfweb.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env("KFWEB_DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG = env_bool("KFWEB_DEBUG", default=False)
SECRET_KEY = env("KFWEB_SECRET_KEY", "") or kept_secret(DATA_DIR / "session.key")

PORT = env_int("KFWEB_PORT", 8000)
DEMO_PORT = env_int("KFWEB_DEMO_PORT", 8100)
BIND = env("KFWEB_BIND", "127.0.0.1")
ALLOWED_HOSTS = env_list("KFWEB_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
HTTPS = env_bool("KFWEB_HTTPS", default=False)  # served behind TLS: secure cookies, HSTS
CSRF_TRUSTED_ORIGINS = env_list("KFWEB_TRUSTED_ORIGINS")
SITE_URL = env("KFWEB_SITE_URL", f"http://{BIND}:{PORT}").rstrip("/")  # how links in letters and webhooks begin

# The venues. A fresh checkout trades play money; production is there, and asks for a key of one's own.
DEMO_URL = env("KFWEB_DEMO_URL", f"http://127.0.0.1:{DEMO_PORT}")
PRODUCTION_URL = env("KFWEB_PRODUCTION_URL", "https://futures.kraken.com")
DEMO_ENABLED = env_bool("KFWEB_DEMO", default=True)
DEMO_PAST_DAYS = env_int("KFWEB_DEMO_PAST_DAYS", 0)  # a new demo exchange begins so long ago

MASTER_KEYS = env_list("KFWEB_MASTER_KEYS")  # newest first
MASTER_KEY_FILE = Path(env("KFWEB_MASTER_KEY_FILE", str(DATA_DIR / "master.key")))
METRICS_FROM = env_list("KFWEB_METRICS_FROM", "127.0.0.0/8,::1/128")
SENTRY_DSN = env("KFWEB_SENTRY_DSN", "")
OTLP_URL = env("KFWEB_OTLP_URL", "")
OWNER_EMAIL = env("KFWEB_OWNER_EMAIL", "")
OWNER_PASSWORD = env("KFWEB_OWNER_PASSWORD", "")


def _store_socket() -> str:
    """Where the embedded store listens; a Unix socket's path holds 107 bytes, so a deep checkout gets a short one."""
    path = DATA_DIR / "run" / "store.sock"
    if len(str(path)) < 100:
        return str(path)
    digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"kfweb-{digest}" / "store.sock")


STORE_SOCKET = _store_socket()
REDIS_URL = env("REDIS_URL", f"unix://{STORE_SOCKET}")
EMBEDDED_STORE = f"unix://{STORE_SOCKET}" == REDIS_URL

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "template_partials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "kfweb",
    "accounts",
    "trading",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "kfweb.content_policy.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.session_index.SessionIndex",
    "accounts.middleware.CurrentDesk",
    "accounts.doorkeeper.Doorkeeper",
]

ROOT_URLCONF = "kfweb.urls"
ASGI_APPLICATION = "kfweb.asgi.application"
CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "accounts.context.frame",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT},
    },
    {  # what stands on every page, or is drawn row by row: docs/decisions
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "drawn",
        "DIRS": [BASE_DIR / "templates" / "drawn"],
        "OPTIONS": {"environment": "kfweb.drawing.environment", "context_processors": CONTEXT},
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", f"sqlite:///{DATA_DIR / 'kfweb.sqlite3'}"), conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue instead of failing: without IMMEDIATE a read that turns into a write cannot wait.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    # A file: the tests' usual database in memory locks whole tables and knows no waiting, so it can show no race.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # Redis shares pub/sub between its numbered databases, so the number goes into the prefix.
        "CONFIG": {"hosts": [{"address": REDIS_URL}], "prefix": f"kfweb{REDIS_URL.rpartition('/')[2]}"},
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the row is the queue: a lost message is swept up, a doubled one would not be
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat")
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backend.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.NoCommonOneDressedUp"},
    {"NAME": "accounts.passwords.NoWordsOfOurs"},
    {"NAME": "accounts.passwords.NotBreached"},
]
BREACHED_PASSWORDS = env("KFWEB_BREACHED_PASSWORDS", "")  # a file; none: only the lists that come with us
if BREACHED_PASSWORDS and not Path(BREACHED_PASSWORDS).is_file():
    raise ImproperlyConfigured(f"KFWEB_BREACHED_PASSWORDS names {BREACHED_PASSWORDS}, and there is no such file.")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/300s/key"}  # the key: accounts.adapter
ALLAUTH_TRUSTED_PROXY_COUNT = env_int("KFWEB_PROXIES", 0)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_ADAPTER = "accounts.mfa.MFAAdapter"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that the two clocks may be apart
MFA_REAUTHENTICATION_REQUIRED = False  # the table of rights asks for a fresh factor at each of these doors
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers themselves allow that on localhost only
MFA_ALLOW_UNVERIFIED_EMAIL = True  # people are let in by invitation; no address is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True
STEP_UP_SECONDS = env_int("KFWEB_STEP_UP_SECONDS", 300)  # how old a proof of the person may be for what matters most
ACCOUNT_REAUTHENTICATION_TIMEOUT = STEP_UP_SECONDS

KEEP_ORDER_EVENTS_DAYS = env_int("KFWEB_KEEP_ORDER_EVENTS_DAYS", 0)  # 0: for ever
KEEP_FINE_EQUITY_DAYS = env_int("KFWEB_KEEP_FINE_EQUITY_DAYS", 90)
WRITES_PER_MINUTE = env_int("KFWEB_WRITES_PER_MINUTE", 1200)  # of a person on pages
API_CALLS_PER_MINUTE = env_int("KFWEB_API_CALLS_PER_MINUTE", 1200)  # of a token

SESSION_ENGINE = "accounts.session_store"
SESSION_IDLE_MINUTES = env_int("KFWEB_SESSION_IDLE_MINUTES", 720)  # without a click, before it ends
SESSION_DAYS = env_int("KFWEB_SESSION_DAYS", 14)  # after the last proof of the person, whatever they did since
SESSION_COOKIE_AGE = SESSION_DAYS * 86400
if SESSION_IDLE_MINUTES < 5 or SESSION_DAYS < 1:
    raise ImproperlyConfigured("KFWEB_SESSION_IDLE_MINUTES is at least 5, KFWEB_SESSION_DAYS at least 1.")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
_HOST_ONLY = "__Host-" if HTTPS else ""  # browsers then take the cookie from nobody but this very host, over TLS
SESSION_COOKIE_NAME = f"{_HOST_ONLY}kfweb_session"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}kfweb_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked by machines, behind the proxy
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000  # of a form or of JSON; files may be larger
LARGEST_BODY = env_int("KFWEB_LARGEST_BODY", 20_000_000)  # with files

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "kfweb.formats"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "kfweb.staticfiles.Storage"},
}

# Receivers inside the own network that webhooks may reach all the same, also by http: HOST:PORT, separated by commas.
WEBHOOK_INSIDE = env_list("KFWEB_WEBHOOK_INSIDE")

# Letters go to the console until KFWEB_SMTP_URL is set: smtp://user:password@host:587, smtps:// for TLS at once, or
# smtp+plain:// without TLS, for a mail server on this machine.
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = env("KFWEB_EMAIL_FROM", "kfweb@localhost")
if SMTP_URL := env("KFWEB_SMTP_URL", ""):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _smtp = urlsplit(SMTP_URL)
    EMAIL_HOST, EMAIL_PORT = _smtp.hostname or "", _smtp.port or (465 if _smtp.scheme == "smtps" else 587)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_smtp.username or ""), unquote(_smtp.password or "")
    EMAIL_USE_SSL, EMAIL_USE_TLS = _smtp.scheme == "smtps", _smtp.scheme == "smtp"
    if _smtp.scheme not in {"smtp", "smtps", "smtp+plain"} or not EMAIL_HOST:
        raise ImproperlyConfigured("KFWEB_SMTP_URL must be smtp://, smtps:// or smtp+plain://, with a host.")
    EMAIL_TIMEOUT = 10

LOGGING_CONFIG = None
logging_config(debug=DEBUG)
