"""The statement of a tree selects whom a naive evaluator selects, on whichever database the suite runs."""

from __future__ import annotations

import os
import random
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.db import connection

from cdp.audiences.compile.statement import Rule, statement
from cdp.audiences.conditions.canonical import written
from cdp.audiences.conditions.read import read
from cdp.audiences.conditions.walk import nodes
from cdp.profiles.models import Profile
from tests.cdp.audiences.naive import Naive
from tests.cdp.audiences.population import Population, at
from tests.cdp.audiences.random_trees import Chance

pytestmark = pytest.mark.django_db
TREES = int(os.environ.get("AUDIENCE_TREES", "170"))  # of each time zone
NOW = at("2025-05-01T12:00:00Z")


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kathmandu"])
def test_it_selects_whom_the_naive_evaluator_selects(zone: str) -> None:
    seed = int(os.environ.get("AUDIENCE_SEED", random.randrange(10**6)))
    chance = Chance(seed, as_of=NOW)
    population = Population(zone=zone)
    chance.populate(population, people=40)
    nested = {
        "a": (chance.group(depth=2, audiences=[]), ""),
        "b": (chance.group(depth=2, audiences=["a"]), "marketing"),
        "c": (chance.group(depth=2, audiences=["a", "b"]), ""),
    }
    everybody = list(Profile.objects.filter(account=population.account))
    naive = Naive(as_of=NOW, zone=ZoneInfo(zone), audiences=nested)
    rules = {name: Rule(tree=read(one), purpose=purpose) for name, (one, purpose) in nested.items()}
    for number in range(TREES):
        document = chance.group(depth=4, audiences=["a", "b", "c"])
        purpose = chance.one(("", "", "marketing"))
        tree = read(document)
        assert read(orjson.loads(orjson.dumps(written(tree)))) == tree
        asked = statement(
            Rule(tree=tree, purpose=purpose), account=population.account, as_of=NOW, others=rules
        )
        expected = naive.members(document, everybody, purpose)
        with connection.cursor() as cursor:
            cursor.execute(*asked.members())
            found = [row[0] for row in cursor.fetchall()]
            cursor.execute(*asked.counts())
            total, count, *each, some = cursor.fetchone()
        about = f"seed {seed}, tree {number}: {orjson.dumps(document).decode()}"
        assert set(found) == expected, (about, population.names(set(found) ^ expected))
        assert (len(found), count, total) == (len(expected), len(expected), 40), about
        by_hand = [
            sum(naive.holds(written(node), one) for one in everybody) for _pointer, node in nodes(tree)
        ]
        assert each == by_hand, about
        assert {int(key) for key in (some or "").split(",")[:5] if key} <= expected, about
