"""Regular expressions mean the same to our automaton, to Python and to PostgreSQL."""

from __future__ import annotations

import random
import re
import time

import pytest
from django.db import connection

from cdp.audiences.conditions.automaton import automaton
from cdp.audiences.conditions.pattern import BadPattern, folded, for_postgresql, parsed

TEXTS = ("", "a", "ab", "aab", "bA\n", "1a-", "bbaab", "AB", "Ab_1")


def test_it_finds_what_is_somewhere_in_the_text() -> None:
    assert automaton("b+[0-9]", case=True).matches("aabb7c")
    assert not automaton("^b+[0-9]", case=True).matches("aabb7c")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "1 to 200"),
        ("a" * 201, "1 to 200"),
        ("(a", "not closed"),
        ("a)", "not opened"),
        ("[a", "too early"),
        ("[]", "empty class"),
        ("[b-a]", "ends before"),
        ("[[a]]", "inside of a class"),
        ("a\\", "too early"),
        (r"(a)\1", "do not read alike"),
        (r"\bword", "do not read alike"),
        ("(?=a)", "looks around"),
        ("(?i)a", "looks around"),
        ("(a+)+", "a repetition inside"),
        ("a**", "repeats a repetition"),
        ("a+?", "repeats a repetition"),
        ("*a", "nothing can be repeated"),
        ("^*", "cannot be repeated"),
        ("a{101}", "between 0 and 100"),
        ("a{3,2}", "between 0 and 100"),
        ("(abcdefghijklmnopqrstuvwxyz){100}", "repeats too much"),
    ],
)
def test_it_refuses_what_engines_read_differently(text: str, rule: str) -> None:
    with pytest.raises(BadPattern, match=rule):
        parsed(text, case=True)


def atom(chance: random.Random, depth: int) -> str:
    kind = chance.randrange(8)
    if kind == 0 and depth:
        return f"({expression(chance, depth - 1)})"
    if kind == 1:
        return chance.choice(["[ab]", "[^a]", "[A-B]", r"\d", r"\W", r"[\d-]", r"\s", "[^A-Z1]"])
    return chance.choice([*"abAB.^$_", r"\-"])


def expression(chance: random.Random, depth: int) -> str:
    times = ["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}"]
    text = "".join(atom(chance, depth) + chance.choice(times) for _ in range(chance.randrange(1, 4)))
    return f"{text}|{expression(chance, depth - 1)}" if depth and chance.random() < 0.2 else text


@pytest.mark.django_db
def test_it_agrees_with_python_and_the_database() -> None:
    chance, judged = random.Random(), 0
    while judged < 300:
        text, case = expression(chance, 2), chance.random() < 0.5
        try:
            part = parsed(text, case=case)
        except BadPattern:
            continue
        judged += 1
        spelled = [one if case else folded(one) for one in TEXTS]
        ours = [automaton(text, case=case).matches(one) for one in spelled]
        options = re.ASCII if case else re.ASCII | re.IGNORECASE
        assert ours == [bool(re.search(text.replace("$", r"\Z"), one, options)) for one in TEXTS], text
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                asked = "SELECT array_agg(t ~ %s ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY u(t, n)"
                cursor.execute(asked, [for_postgresql(part), spelled])
                assert cursor.fetchone()[0] == ours, text


def test_it_takes_no_longer_for_a_text_made_to_take_long() -> None:
    began = time.perf_counter()
    assert not automaton("a*a*a*a*a*a*a*a*b", case=True).matches("a" * 5_000)
    assert time.perf_counter() - began < 5
