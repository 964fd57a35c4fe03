"""Activations: ``python -m tests.benchmarks activations``. On SQLite, and on PostgreSQL where one answers.

A million members of an audience, made by SQL: how long the difference with the ledger takes when nobody and
when everybody was delivered, and in how much memory; how fast a delivery into files is; and how fast the
membership API answers among a million people.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.databases import new_database, reachable
from tests.flows.installation import Installation

MEMBERS = int(os.environ.get("BENCH_MEMBERS", "1000000"))
MOST_SECONDS = 3_600
DELIVERED = min(MEMBERS, 100_000)
# Scattered like real digests, and unique: an odd factor modulo a power of two.
NUMBERS = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})",
    "postgresql": "WITH s AS (SELECT generate_series(1, {count}) AS n)",
}
UUID = {"sqlite": "printf('%%032x', n)", "postgresql": "lpad(to_hex(n), 32, '0')::uuid"}
DIGEST = {
    "sqlite": "printf('%%064x', n * 2654435761 %% 4294967296)",
    "postgresql": "lpad(to_hex(n::bigint * 2654435761 %% 4294967296), 64, '0')",
}
MEASURE = f"""
import json, resource, statistics, time
from django.db import connection
from django.test import Client
from django.utils import timezone
from cdp.activations import changes, deliver, ledger
from cdp.activations.models import Activation, ActivationAudience, LedgerEntry
from cdp.profiles import identifiers
from tests.cdp.activations import made

vendor = connection.vendor
numbers = {NUMBERS!r}[vendor].format(count={MEMBERS})
uuid, digest = {UUID!r}[vendor], {DIGEST!r}[vendor]
account = made.account()
audience = made.audience(account, "everybody")
files, _ = changes.create(account, name="Files", kind="csv", person_identifier="userid", audiences=[audience])
api, key = changes.create(account, name="API", kind="cdp_api", person_identifier="coid", audiences=[audience])
now = connection.ops.adapt_datetimefield_value(timezone.now())
given = {{"account": account.pk, "audience": audience.pk, "activation": files.pk, "now": now,
         "sealed": identifiers.seal("14"), "yes": True}}

def run(text):
    with connection.cursor() as cursor:
        cursor.execute(text, given)

run(f"INSERT INTO profiles_profile (id, account_id, uuid, attributes, created_at) {{numbers}} SELECT n,"
    f" %(account)s, {{uuid}}, '{{{{}}}}', %(now)s FROM s")
run("INSERT INTO profiles_profileidentifier"
    " (account_id, profile_id, kind, digest, sealed, active, first_seen)"
    f" {{numbers}} SELECT %(account)s, n, 'userid', {{digest}}, %(sealed)s, %(yes)s, %(now)s FROM s")
run("INSERT INTO audiences_audiencemembership (audience_id, profile_id, joined_at, sequence) {{numbers}}"
    " SELECT %(audience)s, n, %(now)s, 1 FROM s".replace("{{numbers}}", numbers))
if vendor == "postgresql":
    run("SELECT setval(pg_get_serial_sequence('profiles_profile', 'id'), {MEMBERS} + 1)")
run("ANALYZE")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def difference():
    attachment = ActivationAudience.objects.select_related("activation", "audience").get(activation=files)
    began = time.perf_counter()
    count = sum(1 for _ in ledger.steps(attachment))
    return count, time.perf_counter() - began

found = {{"vendor": vendor}}
before = peak()
count, found["all_new"] = difference()
assert count == {MEMBERS}, count
run("INSERT INTO activations_ledgerentry (activation_id, audience_id, digest, sealed, sequence, delivered_at)"
    f" {{numbers}} SELECT %(activation)s, %(audience)s, {{digest}}, %(sealed)s, 1, %(now)s FROM s")
run("ANALYZE")
count, found["nothing_new"] = difference()
assert count == 0, count
found["more_megabytes"] = peak() - before
run("DELETE FROM activations_ledgerentry")
run("DELETE FROM audiences_audiencemembership WHERE profile_id > {DELIVERED}")
changes.mark(files)
began = time.perf_counter()
done = deliver.deliver(files.pk)
found["delivered_a_second"] = done.added / (time.perf_counter() - began)
assert done.added == {DELIVERED}, done

values = [f"cookie-{{n}}" for n in range(1000)]
for n, value in enumerate(values):
    made.name_of(made.Profile.objects.get(pk=n * {DELIVERED} // 1000 + 1), "coid", value)
client = Client(SERVER_NAME="localhost")
headers = {{"x-activation-id": api.public_id, "x-api-key": key}}
taken, spent = [], time.process_time()
for value in values:
    began = time.perf_counter()
    answer = client.get("/api/v3/memberships/coid", {{"identifierValue": value}}, headers=headers)
    taken.append((time.perf_counter() - began) * 1000)
    assert answer.json()["memberships"], answer.content
found["cpu"] = time.process_time() - spent  # ms of each of a thousand
found["p50"], found["p99"] = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
print(json.dumps(found))
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bench-activations-") as folder:
        report(measured(Path(folder) / "sqlite"))
        if reachable():
            with new_database() as url:
                report(measured(Path(folder) / "postgresql", DATABASE_URL=url))
    return 0


def measured(folder: Path, **env: str) -> dict[str, Any]:
    folder.mkdir()
    installation = Installation(var_dir=folder, extra_env=env)
    installation.manage("migrate", "--verbosity=0")
    done = installation.attempt("-c", f"import django; django.setup()\n{MEASURE}", timeout=MOST_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(found: dict[str, Any]) -> None:
    lines = (
        f"{found['vendor']}: difference of {MEMBERS:,} members and the ledger",
        f"  nobody delivered yet       {found['all_new']:8.1f} s",
        f"  everybody delivered        {found['nothing_new']:8.1f} s",
        f"  memory above the start     {found['more_megabytes']:8.0f} MB",
        f"  delivery into files        {found['delivered_a_second']:8,.0f} people a second",
        f"  membership API             {found['p50']:8.2f} ms p50, {found['p99']:.2f} ms p99",
        f"  its processor time         {found['cpu']:8.2f} ms",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
