"""Environment variables, read with helpers that fail loudly and name the variable."""

from __future__ import annotations

import atexit
import importlib.util
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

BASE_DIR = Path(__file__).resolve().parent.parent

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


def load_dotenv_files(folder: Path = BASE_DIR) -> None:
    """Read ``.env`` and then ``.env.local``; the process environment beats both."""
    merged: dict[str, str | None] = {}
    for name in (".env", ".env.local"):
        merged |= dotenv_values(folder / name)
    for key, value in merged.items():
        # A line of .env.example that nobody filled in is not a setting.
        if value:
            os.environ.setdefault(key, value)


def env_str(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, *, default: bool) -> bool:
    raw = os.environ.get(name, "")
    if not raw:
        return default
    word = raw.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no; got {raw!r}.")


def env_time_zone(name: str) -> str:
    """The name of a time zone, UTC where none is set."""
    raw = os.environ.get(name, "") or "UTC"
    try:
        return ZoneInfo(raw).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ImproperlyConfigured(
            f"{name} must be the name of a time zone such as Europe/Berlin; got {raw[:80]!r}."
        ) from None


def env_currency(name: str) -> str:
    """A currency by its three letters, the euro where none is set."""
    raw = os.environ.get(name, "") or "EUR"
    if not (len(raw) == 3 and raw.isascii() and raw.isalpha() and raw.isupper()):
        raise ImproperlyConfigured(f"{name} must be three capital letters such as EUR; got {raw[:40]!r}.")
    return raw


LONGEST_RETENTION = 36_500


def env_int(name: str, default: int) -> int:
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    if not raw.strip().lstrip("-").isascii() or not raw.strip().lstrip("-").isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number; got {raw!r}.")
    return int(raw)


def env_days(name: str) -> dict[str, int]:
    """`730` or `click=400,default=730` as a mapping; codes are those of `tracking.retention`."""
    found: dict[str, int] = {}
    for part in env_list(name, []):
        code, named, days = part.partition("=")
        code, days = (code.strip(), days.strip()) if named else ("default", code.strip())
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= LONGEST_RETENTION):
            raise ImproperlyConfigured(
                f"{name} must be days from 1 to {LONGEST_RETENTION}, such as 730 or click=400,default=730; "
                f"got {part[:40]!r}."
            )
        if code in found:
            raise ImproperlyConfigured(f"{name} names {code[:40]!r} twice.")
        found[code] = int(days)
    return found


def env_choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    word = os.environ.get(name, "").strip().upper() or default
    if word not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}; got {word[:40]!r}.")
    return word


def env_list(name: str, default: list[str]) -> list[str]:
    raw = os.environ.get(name)
    if raw is None:
        return default
    return [part.strip() for part in raw.split(",") if part.strip()]


def env_apps(name: str) -> list[str]:
    """The apps, or modules of addresses, that a project adds.

    Raises ImproperlyConfigured for one that cannot be found.
    """
    apps = env_list(name, [])
    for app in apps:
        package, _, last = app.rpartition(".")
        # The class of its configuration may be named too, as in INSTALLED_APPS.
        if not _findable(package if last[:1].isupper() else app):
            raise ImproperlyConfigured(
                f"{name} names {app!r}, which is no Python module that can be imported from {BASE_DIR}."
            )
    return apps


def _findable(module: str) -> bool:
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def default_var_dir(*, testing: bool) -> str:
    """``var/`` beside the code; a test run gets a folder of its own, gone when it ends."""
    if not testing:
        return str(BASE_DIR / "var")
    folder = tempfile.mkdtemp(prefix="lodestar-tests-")
    # Processes that a test starts work on the same state.
    os.environ["LODESTAR_VAR_DIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def env_port(name: str, default: int) -> int:
    port = env_int(name, default)
    if not 0 <= port <= 65535:
        raise ImproperlyConfigured(f"{name} must be a port from 1 to 65535; got {port}.")
    return port


def secret_from_file(path: Path) -> str:
    """Return the key kept in ``path``, making one on first use, readable by the owner only."""
    try:
        return path.read_text().strip() if path.is_file() else new_secret(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The folder {path.parent} cannot hold this installation's state ({error.strerror}). "
            "Let this user write to it, free space there, or point LODESTAR_VAR_DIR at another folder."
        ) from error


def new_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(64))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        # link() refuses to replace: two processes starting together agree on one key.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text().strip()
