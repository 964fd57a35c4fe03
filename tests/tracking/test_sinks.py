"""The connection of a sink ..."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from tracking.collector.sinks import postgres_options

DESCRIBED = {"NAME": "shop", "USER": "u", "PASSWORD": "", "HOST": "h", "PORT": 5432}


def test_notices_a_server_that_has_vanished() -> None:
    options = postgres_options(DESCRIBED)
    assert options["tcp_user_timeout"] == 15_000
    assert options["keepalives_idle"] == 5
    assert make_conninfo(**options), "libpq knows each of them"


def test_takes_the_options_of_the_settings_and_stays_durable() -> None:
    given = {"sslmode": "require", "keepalives_idle": 60, "options": "-c search_path=events", "pool": True}
    options = postgres_options(DESCRIBED | {"OPTIONS": given})
    assert (options["sslmode"], options["keepalives_idle"]) == ("require", 60)
    assert "pool" not in options, "Django alone knows it"
    assert options["options"].startswith("-c search_path=events -c synchronous_commit=on ")
