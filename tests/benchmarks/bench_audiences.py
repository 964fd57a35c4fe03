"""Audiences: ``python -m tests.benchmarks audiences``.

One audience of three conditions (bought within 30 days, has a country, has spent 100 in all). On PostgreSQL
``manage.py cdp_calculate`` makes the members of 1,000,000 profiles with 5,000,000 interactions; goal: its
query in 5 s. On both databases the size of the rule is asked as the screen asks it, at 100,000 profiles with
500,000 interactions; goal: 1 s. ``BENCH_PROFILES`` and ``BENCH_PREVIEWED`` set the numbers; the first leaves
its part out at 0.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.databases import new_database, reachable
from tests.flows.installation import Installation

PROFILES = int(os.environ.get("BENCH_PROFILES", "1000000"))
PREVIEWED = int(os.environ.get("BENCH_PREVIEWED", "100000"))
EACH = 5  # interactions of a profile
ROUNDS = 5
FILL_SECONDS = 3_600
QUERY_GOAL, PREVIEW_GOAL = 5.0, 1.0
DEFINITION = """{
    "type": "group", "op": "and", "children": [
        {"type": "did", "event": "buy", "window": {"kind": "in_last", "n": 30, "unit": "day"}},
        {"type": "have", "attribute": "country", "op": "in", "value": ["dk", "de", "no"]},
        {"type": "have", "attribute": {"calc": "sum", "event": "buy", "property": "subtotal"},
         "op": "gte", "value": 100},
    ]}"""
# Events of a year, one in five a purchase; every number is spread by a step without a common factor.
PEOPLE = {
    "sqlite": """
        INSERT INTO profiles_profile (account_id, uuid, attributes, created_at)
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {profiles})
        SELECT {account}, printf('%032x', i),
               json_object('country', substr('DKDESENOFRNL', 1 + 2 * (i % 6), 2), 'points', i % 1000,
               'born', printf('19%02d-%02d-%02d', i % 90, 1 + i % 12, 1 + i % 28)),
               '2026-01-01 00:00:00' FROM n""",
    "postgresql": """
        INSERT INTO profiles_profile (account_id, uuid, attributes, created_at)
        SELECT {account}, gen_random_uuid(), jsonb_build_object(
               'country', substr('DKDESENOFRNL', (1 + 2 * (i % 6))::int, 2), 'points', i % 1000,
               'born', '19' || lpad((i % 90)::text, 2, '0') || '-05-04'), now()
        FROM generate_series(0, {profiles} - 1) i""",
}
NAMES = """
    INSERT INTO profiles_profileidentifier (account_id, profile_id, kind, digest, sealed, active, first_seen)
    SELECT account_id, id, 'userid', 'd' || id, '', TRUE, created_at FROM profiles_profile"""
EVENTS = """
    INSERT INTO profiles_interaction (account_id, profile_id, identity_id, event, ts, day, source, event_id,
        session, item_type, product_id, product_name, category_path, category, brand, order_id, quantity,
        subtotal, currency, props)
    SELECT i.account_id, i.profile_id, i.id, CASE (i.id * 7 + e.n) % 5 WHEN 0 THEN 'buy' ELSE 'visit' END,
        {now} - ((i.id * 7919 + e.n * 104729) % 365) * 86400000000, 0, 'bench', NULL, '', '',
        'p' || ((i.id + e.n) % 5000), '', '/c1/c' || (i.id % 50) || '/', 'c' || (i.id % 50), '',
        'o' || i.id, 1, 100000 + (i.id * 31 + e.n) % 1500000, 'EUR', '{{}}'
    FROM profiles_profileidentifier i JOIN ({numbers}) e ON TRUE"""
PREPARE = """
import time
from django.db import connection
from cdp.audiences import changes
from cdp.profiles import accounts, vocabulary
from tests.benchmarks.bench_audiences import DEFINITION, EACH, EVENTS, NAMES, PEOPLE, TYPES
account = accounts.create(2000, name="Benchmark")
vocabulary.register(lambda _account: TYPES)
numbers = " UNION ALL ".join(f"SELECT {{n}} AS n" for n in range(EACH))
with connection.cursor() as cursor:
    if connection.vendor == "postgresql":  # five million rows that refer to each other rightly
        cursor.execute("SET session_replication_role = replica")
    cursor.execute(PEOPLE[connection.vendor].format(account=account.pk, profiles={profiles}))
    cursor.execute(NAMES)
    cursor.execute(EVENTS.format(now=time.time_ns() // 1000, numbers=numbers))
    if connection.vendor == "postgresql":
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE profiles_profile, profiles_interaction, profiles_profileidentifier")
    else:
        cursor.execute("ANALYZE")
changes.create(account, name="Benchmark", definition=eval(DEFINITION))
"""
PREVIEW = """
import time
from cdp.audiences.preview import preview
from tests.benchmarks.bench_audiences import spent
from cdp.profiles import accounts, vocabulary
from tests.benchmarks.bench_audiences import DEFINITION, ROUNDS, TYPES
vocabulary.register(lambda _account: TYPES)
account = accounts.find(2000)
for _ in range(ROUNDS):
    began, before = time.perf_counter(), spent()
    found = preview(account, eval(DEFINITION))
    print(time.perf_counter() - began, spent() - before, found.count)
"""
QUERY = """
import time
from django.db import connection
from django.utils import timezone
from cdp.audiences.calculate import fitting
from cdp.audiences.models import Audience
from tests.benchmarks.bench_audiences import spent
audience = Audience.objects.get()
began, before = time.perf_counter(), spent()
with fitting(audience, timezone.now()), connection.cursor() as cursor:
    print(time.perf_counter() - began, spent() - before)
"""
TYPES = {"country": "string", "points": "integer", "born": "date"}


def spent() -> float:
    """Processor seconds of this process and of the one that answers it in a PostgreSQL of this machine."""
    from django.db import connection

    seconds = time.process_time()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            path = Path(f"/proc/{cursor.fetchone()[0]}/stat")
        if path.exists():
            words = path.read_text().rpartition(")")[2].split()
            seconds += (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


Part = Callable[[Installation, str, int], int]


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    databases = ["sqlite", *(["postgresql"] if reachable() else [])]
    missed = 0
    for vendor in databases:
        missed |= on(vendor, previews, profiles=PREVIEWED)
    if PROFILES and "postgresql" in databases:
        missed |= on("postgresql", calculations, profiles=PROFILES)
    return missed


def on(vendor: str, part: Part, *, profiles: int) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-audiences-") as folder:
        if vendor == "sqlite":
            return part(filled(Path(folder), {}, profiles=profiles), vendor, profiles)
        with new_database() as url:
            return part(filled(Path(folder), {"DATABASE_URL": url}, profiles=profiles), vendor, profiles)


def filled(folder: Path, env: dict[str, str], *, profiles: int) -> Installation:
    settings = {"LODESTAR_DEBUG": "0", "SECRET_KEY": "benchmark-only-" * 4}
    installation = Installation(var_dir=folder, extra_env=env | settings)
    installation.manage("migrate", "--verbosity=0")
    code = f"import django; django.setup()\n{PREPARE.format(profiles=profiles)}"
    done = installation.attempt("-c", code, timeout=FILL_SECONDS)
    assert done.returncode == 0, done.stderr
    return installation


def previews(installation: Installation, vendor: str, profiles: int) -> int:
    """The size as the screen asks for it; the first round, with nothing in the memory yet, is one of them."""
    lines = [line.split() for line in installation.python(PREVIEW).splitlines()]
    seconds = [float(line[0]) for line in lines]
    typical, processor = statistics.median(seconds), statistics.median(float(line[1]) for line in lines)
    sys.stdout.write(
        f"{vendor}, {profiles:,} profiles, {profiles * EACH:,} interactions: size of {lines[0][2]} asked in"
        f" {typical:.2f} s, at worst {max(seconds):.2f} s, processors {processor:.2f} s"
        f" (goal {PREVIEW_GOAL:g}: {'met' if typical < PREVIEW_GOAL else 'MISSED'})\n"
    )
    return int(typical >= PREVIEW_GOAL)


def calculations(installation: Installation, vendor: str, profiles: int) -> int:
    """The query alone, then the whole command for the first time and once more, when little is other."""
    rounds = [installation.python(QUERY).split() for _ in range(ROUNDS)]
    seconds, processors = ([float(one[place]) for one in rounds] for place in (0, 1))
    whole = []
    for _ in range(2):
        began = time.perf_counter()
        said = installation.manage("cdp_calculate", "--all")
        whole.append(time.perf_counter() - began)
    typical, processor = statistics.median(seconds), statistics.median(processors)
    sys.stdout.write(
        f"{vendor}, {profiles:,} profiles, {profiles * EACH:,} interactions: {said.splitlines()[0]};"
        f" query {typical:.1f} s, at worst {max(seconds):.1f} s, processors {processor:.1f} s"
        f" (goal {QUERY_GOAL:g}: {'met' if typical < QUERY_GOAL else 'MISSED'}); the command {whole[0]:.1f} s"
        f" with all members new, {whole[1]:.1f} s when they are the same\n"
    )
    return int(typical >= QUERY_GOAL)
