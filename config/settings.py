"""Settings of the project. Everything that differs between installations is an environment variable."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import environment as env
from config import private, served
from config.lake_storage import lake_storage
from config.pseudonym_keys import pseudonym_keys

BASE_DIR = env.BASE_DIR
env.load_dotenv_files()

# --- Where state lives ------------------------------------------------------------------------

TESTING = "pytest" in sys.modules
VAR_DIR = Path(env.env_str("LODESTAR_VAR_DIR") or env.default_var_dir(testing=TESTING)).resolve()
private.by_default(VAR_DIR)
LODESTAR_SITES_FILE = Path(env.env_str("LODESTAR_SITES_FILE", str(BASE_DIR / "config/sites.yaml")))
EXPORT_ROOT = VAR_DIR / "export"
LAKE_ROOT = VAR_DIR / "lake"  # the lake, unless LODESTAR_LAKE_URL names a bucket
LAKE_CACHE = VAR_DIR / "lake-cache"  # copies of what is read from a bucket
ARTEFACT_ROOT = VAR_DIR / "models"
ACTIVATION_ROOT = VAR_DIR / "activations"  # files of activations of the kind csv
LOG_ROOT = VAR_DIR / "log"
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- Security ---------------------------------------------------------------------------------

# Without any .env this is a development machine: debugging on, local host names only.
DEBUG = env.env_bool("LODESTAR_DEBUG", default=True)
SECRET_KEY = env.env_str("SECRET_KEY")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Outside development set it to at least 50 random characters: "
            'python -c "import secrets; print(secrets.token_urlsafe(64))"'
        )
    SECRET_KEY = env.secret_from_file(VAR_DIR / "secret_key")
# User ids are stored as HMACs under these keys, the oldest first; losing one unlinks every history.
PSEUDONYM_KEYS = pseudonym_keys(secret_key=SECRET_KEY)
ALLOWED_HOSTS = env.env_list("ALLOWED_HOSTS", ["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.env_list("CSRF_TRUSTED_ORIGINS", [])
SECURE_SSL_REDIRECT = env.env_bool("SECURE_SSL_REDIRECT", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.env_bool("COOKIES_SECURE", default=not DEBUG)
if proxy_header := env.env_str("SECURE_PROXY_SSL_HEADER"):
    SECURE_PROXY_SSL_HEADER = (proxy_header, "https")
SECURE_HSTS_SECONDS = env.env_int("SECURE_HSTS_SECONDS", 0)
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The public site. Wagtail's own screens get a looser policy in config.middleware.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": [SELF],
        "form-action": [SELF],
    },
}

# --- Applications -----------------------------------------------------------------------------

INSTALLED_APPS = [
    # First, so that their templates and static files win over ours.
    *env.env_apps("LODESTAR_APPS"),
    "config.apps.ConfigApp",
    "config.customers",
    "config.jobs",
    "content",
    "tracking",
    "personalization",
    "personalization.client",
    "personalization.server",
    "personalization.segments",
    "cdp",
    "cdp.profiles",
    "cdp.audiences",
    "cdp.dataflows",
    "cdp.export",
    "cdp.tracking",
    "cdp.activations",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "taggit",
    "django_filters",
    "rest_framework",
    "drf_spectacular_sidecar",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "tracking.middleware.EventsFirst",
    "config.middleware.WireLimits",
    "config.middleware.NoNul",
    "django.middleware.security.SecurityMiddleware",
    "personalization.server.middleware.CallsFirst",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentPolicy",
    "config.errors.OwnErrors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "content.redirects.Redirects",
    "personalization.client.visitor.VisitorCookie",
    "personalization.segments.middleware.VisitorSegments",
]
ROOT_URLCONF = "config.urls"
# Before Wagtail, which takes whatever is left.
OWN_URLS = env.env_apps("LODESTAR_URLS")
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates/jinja2"],
        "APP_DIRS": True,  # the folder jinja2/ of an app
        "OPTIONS": {
            "environment": "config.jinja2.environment",
            "extensions": [
                "jinja2.ext.i18n",
                "wagtail.jinja2tags.core",
                "wagtail.images.jinja2tags.images",
                "wagtail.admin.jinja2tags.userbar",
                "wagtail.contrib.settings.jinja2tags.settings",
                "content.jinja2.ContentExtension",
                "personalization.jinja2.PersonalizationExtension",
                "personalization.segments.jinja2.SegmentExtension",
                "cdp.tracking.jinja2.TrackingExtension",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Databases --------------------------------------------------------------------------------

DATABASE_URL = env.env_str("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'lodestar.sqlite3'}"
EVENTS_DATABASE_URL = env.env_str("EVENTS_DATABASE_URL")
SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE takes the write lock at BEGIN, so no transaction fails half way on an upgrade.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
}
# The two kinds that every part, the collector's writer included, is built for.
DATABASE_SCHEMES = ("sqlite:///", "postgres://", "postgresql://")


def database(url: str, *, name: str) -> dict[str, Any]:
    """Return Django's description of the database at ``url``, durable whatever its kind.

    ``name``: the variable it comes from. The address itself may hold a password and is not repeated.
    """
    if not url.startswith(DATABASE_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must begin with one of {', '.join(DATABASE_SCHEMES)}; "
            f"got {url.partition('//')[0][:40]!r}."
        )
    try:
        described: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} is not an address such as postgres://user:password@host:5432/name: {error}"
        ) from None
    if described["ENGINE"] == "django.db.backends.sqlite3":
        described["OPTIONS"] = SQLITE_OPTIONS | described.get("OPTIONS", {})
        # A file in tests too: several connections to one database in memory lock each other out.
        described["TEST"] = {"NAME": str(VAR_DIR / f"test-{Path(described['NAME']).name}")}
    else:
        described["CONN_HEALTH_CHECKS"] = True
    # Opening SQLite again for every page costs it 1.5 ms, and closing it last a checkpoint.
    described["CONN_MAX_AGE"] = 60
    return described


if not EVENTS_DATABASE_URL and DATABASE_URL.startswith("sqlite"):
    # One SQLite file for everything would let the collector starve editors: p99 2.2 s against 40 ms.
    EVENTS_DATABASE_URL = f"sqlite:///{VAR_DIR / 'events.sqlite3'}"
DATABASES = {"default": database(DATABASE_URL, name="DATABASE_URL")}
EVENTS_DB = "default"
if EVENTS_DATABASE_URL and EVENTS_DATABASE_URL != DATABASE_URL:
    DATABASES["events"] = database(EVENTS_DATABASE_URL, name="EVENTS_DATABASE_URL")
    EVENTS_DB = "events"
    if DATABASES["events"]["ENGINE"] == "django.db.backends.sqlite3":
        # The writer has a connection of its own, which an in-memory test database cannot serve.
        DATABASES["events"]["TEST"] = {
            "NAME": str(VAR_DIR / f"test-events-{os.getpid()}.sqlite3"),
            "MIGRATE": False,
        }
DATABASE_ROUTERS = ["config.routers.EventsRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Background work --------------------------------------------------------------------------

REDIS_URL = env.env_str("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://")):
    raise ImproperlyConfigured(
        f"REDIS_URL must begin with redis:// or rediss://; got {REDIS_URL.partition('//')[0][:40]!r}."
    )
# How long ended jobs, deliveries, imports and exports are kept. An import looks back two days for removals.
HISTORY_DAYS = env.env_int("LODESTAR_HISTORY_DAYS", 30)
if HISTORY_DAYS < 3:
    raise ImproperlyConfigured(f"LODESTAR_HISTORY_DAYS must be at least 3; got {HISTORY_DAYS}.")
# demo --no-serve and tests run jobs where they are enqueued: no worker is listening.
JOBS_INLINE = env.env_bool("LODESTAR_JOBS_INLINE", default=False)
# Shared by the processes of one machine, so that the worker sees the editor's site roots at once;
# Redis may go away at any time and therefore holds nothing but nudges.
CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgetfulFileCache",
        "LOCATION": VAR_DIR / "cache",
    },
    # One small entry for each visitor of the last minutes, apart from what pages need.
    "visitors": {
        "BACKEND": "config.cache.ForgetfulFileCache",
        "LOCATION": VAR_DIR / "cache-visitors",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
    # Wagtail would write a file for every picture it shows, although listings have fetched them already.
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

# For how long the segments of visitors without an account are kept; the sites file goes before it.
CDP_SEGMENTATION_ANONYMOUS_CACHE = {
    "enabled": env.env_bool("CDP_SEGMENTATION_ANONYMOUS_CACHE", default=True),
    "ttl": env.env_int("CDP_SEGMENTATION_ANONYMOUS_CACHE_TTL", 300),
    "pool": env.env_str("CDP_SEGMENTATION_ANONYMOUS_CACHE_POOL") or "visitors",
}

# --- Languages and time -----------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = env.env_time_zone("LODESTAR_TIME_ZONE")
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "Français")]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# Where models are learnt: empty for this machine, else Spark's master, such as local[2] or spark://host:7077.
SPARK_MASTER = env.env_str("LODESTAR_SPARK_MASTER")
# Of the account: statistics add up in it, and count a purchase so long after a click on a recommendation.
ACCOUNT_CURRENCY = env.env_currency("LODESTAR_CURRENCY")
ATTRIBUTION_MINUTES = env.env_int("LODESTAR_ATTRIBUTION_MINUTES", 30)

# --- Wagtail ----------------------------------------------------------------------------------

WAGTAIL_SITE_NAME = "Lodestar"
WAGTAIL_I18N_ENABLED = True
# With it, unpublishing a translated home page unpublishes the original.
WAGTAILSIMPLETRANSLATION_SYNC_PAGE_TREE = False
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
# The port that this installation answers on; set by `serve --port`. Own addresses follow it.
# A command in another terminal finds the ports that `serve` uses, or used last, in the state folder.
seen = None if TESTING else served.ports(VAR_DIR)
SERVED_PORT = env.env_port("LODESTAR_PORT", seen.port if seen else 8000)
EVENT_PORT = env.env_port("LODESTAR_EVENT_PORT", seen.event_port if seen else 0) or None
WAGTAILADMIN_BASE_URL = env.env_str("LODESTAR_BASE_URL") or f"http://localhost:{SERVED_PORT}"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
# What the content REST gives for `image=<name>`, as Wagtail filters. Items carry fill-800x600.
IMAGE_VARIATIONS = {
    "original": "original",
    "large": "max-600x600|format-jpeg",
    "medium": "max-300x300|format-jpeg",
    "small": "max-150x150|format-jpeg",
    "rss": "max-300x300|format-jpeg",
}

# --- Files, requests --------------------------------------------------------------------------

STORAGES = {
    "default": {"BACKEND": "config.storage.UploadedFiles"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "config.storage.CollectedFiles"
        )
    },
    "lake": lake_storage(env.env_str("LODESTAR_LAKE_URL")),
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
MAX_URI_BYTES = 8000
# Hosts ("host" or "host:port") that may be called although they are private or speak plain http.
OUTBOUND_ALLOW = env.env_list("LODESTAR_OUTBOUND_ALLOW", [])
OUTBOUND_CA_BUNDLE = env.env_str("LODESTAR_CA_BUNDLE")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

# --- Personalization --------------------------------------------------------------------------

# Rendering a page never waits longer than this for a block of recommendations, and once at most for an
# engine that does not answer.
RECOMMENDATION_BUDGET_SECONDS = 0.3
# Pages tell a visitor whom they take him for, and why each list of recommendations is as it is.
LODESTAR_DEBUG_BAR = env.env_bool("LODESTAR_DEBUG_BAR", default=False)
EXPORT_PAGE_SIZE = 500
EXPORT_DAYS = env.env_int("LODESTAR_EXPORT_DAYS", 7)
if EXPORT_DAYS < 1:
    raise ImproperlyConfigured(f"LODESTAR_EXPORT_DAYS must be at least 1; got {EXPORT_DAYS}.")
DISK_FLOOR_BYTES = 200 * 1024 * 1024

# --- Privacy ----------------------------------------------------------------------------------

# Event code or "default" -> days after which events go; the sites file may say otherwise for its customers.
RETENTION = env.env_days("LODESTAR_RETENTION_DAYS")
# How long copies of an erased person's events may be under way, in replays, imports and retries.
TOMBSTONE_DAYS = env.env_int("LODESTAR_TOMBSTONE_DAYS", 35)

# --- Customer data ----------------------------------------------------------------------------

# Values that many people are called by, beside those that are known: they neither name nor join anybody.
CDP_IDENTIFIER_BLOCKLIST = frozenset(one.lower() for one in env.env_list("CDP_IDENTIFIER_BLOCKLIST", []))
CDP_INTERACTION_MONTHS = env.env_int("CDP_INTERACTION_MONTHS", 25)
if CDP_INTERACTION_MONTHS < 1:
    raise ImproperlyConfigured(f"CDP_INTERACTION_MONTHS must be at least 1; got {CDP_INTERACTION_MONTHS}.")
# Days after which a profile goes that no source says anything of and that did nothing; 0 keeps them.
CDP_INACTIVE_DAYS = env.env_int("CDP_INACTIVE_DAYS", 0)
if CDP_INACTIVE_DAYS < 0:
    raise ImproperlyConfigured(f"CDP_INACTIVE_DAYS must be at least 0; got {CDP_INACTIVE_DAYS}.")

# --- Logging ----------------------------------------------------------------------------------

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING_CONFIG = "config.logging.configure"
LOGGING = {
    "level": env.env_choice("LODESTAR_LOG_LEVEL", "INFO", choices=LOG_LEVELS),
    "files": env.env_list("LODESTAR_LOG_FILES", []),
    "root": LOG_ROOT,
}

if TESTING:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
