"""Faults of the machine, in a sentence that names the right remedy."""

from __future__ import annotations

from django.db import IntegrityError, OperationalError

from config.faults import of_database


def test_it_says_of_a_database_that_is_away_what_to_do() -> None:
    assert "Start it, or correct DATABASE_URL" in of_database(OperationalError("connection refused"))[1]


def test_it_does_not_say_of_a_database_that_refused_a_value_that_it_is_away() -> None:
    code, sentence = of_database(IntegrityError('null value in column "collection_id"\nDETAIL: a row'))
    assert code == 1
    assert sentence.startswith('The database refused a value: null value in column "collection_id".')
    assert "Start it" not in sentence
