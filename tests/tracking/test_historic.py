"""A signed event of the past ..."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import site_access
from tests.tracking.conftest import KNOWN, NOW
from tracking.collector import historic, intake, path
from tracking.fields import BadEvent

KEY = "8695-1828-92810-5535-4239"
SITES = f"""
personalization:
  system:
    shop:
      site_name: Shop
      authentication: {{ customer_id: 1234, license_key: {KEY} }}
"""
VECTORS = [
    ("11", "19.99EUR", "2012-01-01T11:00:00", "1", "d0026f017ae823f19530d93318c5a2f6"),
    ("94", "23.99EUR", "2012-01-02T11:00:00", "5", "53ae5744879d5a3ae833f3ef34109b44"),
    ("78", "7.59EUR", "2012-01-03T11:00:00", "1", "d73e76754fb333e9733936bbd11bb5cd"),
]


def target(item: str, fullprice: str, when: str, quantity: str, signature: str) -> str:
    query = f"quantity={quantity}&fullprice={fullprice}&overridetimestamp={when.replace(':', '%3A')}"
    return f"/api/1234/buy/u/1/{item}?{query}&signature={signature}"


@pytest.fixture
def license_key(settings, tmp_path):
    """A sites file that names the license key of customer 1234, the one of the published vectors."""
    before = settings.LODESTAR_SITES_FILE
    settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE.write_text(SITES)
    site_access.reload()
    yield
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.usefixtures("license_key")
def test_is_stored_with_its_own_time(accept, vector):
    [row] = accept(target(*vector)).rows
    assert row.ts == historic.moment(vector[2], now=NOW)
    assert row.received == NOW
    assert row.quantity == int(vector[3])


@pytest.mark.usefixtures("license_key")
def test_is_refused_when_anything_was_changed(accept):
    item, price, when, quantity, signature = VECTORS[0]
    for changed in (
        ("12", price, when, quantity),
        (item, "1.99EUR", when, quantity),
        (item, price, when, "2"),
    ):
        with pytest.raises(BadEvent, match="signature"):
            accept(target(*changed, signature))


@pytest.mark.usefixtures("license_key")
@pytest.mark.parametrize("when", ["2012-13-01T11:00:00", "2999-01-01T00:00:00", "1901-01-01T00:00:00"])
def test_is_refused_with_an_impossible_time(accept, when):
    with pytest.raises(BadEvent, match="overridetimestamp must be"):
        accept(target("11", "19.99EUR", when, "1", "0" * 32))


def test_has_the_published_signatures():
    for item, price, when, quantity, signature in VECTORS:
        parameters = [("quantity", quantity), ("fullprice", price), ("overridetimestamp", when)]
        assert historic.signatures(f"1&{item}", KEY, parameters)[0] == signature


BAD = [
    ("overridetimestamp=2012-01-01T11%3A00%3A00", "must come with signature"),
    ("overridetimestamp=2012-01-01T11%3A00%3A00&signature=", "signature"),
    ("overridetimestamp=2012-01-01T11%3A00%3A00&signature=short", "signature must be 32 hexadecimal digits"),
    (f"overridetimestamp=2012-01-01T11%3A00%3A00&signature={'D' * 32}", "in lower case"),
    (f"overridetimestamp=2012-01-01T11%3A00%3A00&signature={'0' * 32}", "does not match"),
    (f"overridetimestamp=2012-01-01&signature={'0' * 32}", "overridetimestamp must be a date and time"),
    (f"overridetimestamp=2012-01-01T11%3A00%3A00Z&signature={'0' * 32}", "without a zone"),
    (f"overridetimestamp=1325415600&signature={'0' * 32}", "overridetimestamp must be a date and time"),
    (f"overridetimestamp=2012-02-30T11%3A00%3A00&signature={'0' * 32}", "a date that exists"),
    (f"overridetimestamp=2012-01-01T25%3A00%3A00&signature={'0' * 32}", "a date that exists"),
    (f"overridetimestamp=1989-12-31T23%3A59%3A59&signature={'0' * 32}", "between 1990 and now"),
    (f"overridetimestamp=2999-01-01T00%3A00%3A00&signature={'0' * 32}", "between 1990 and now"),
]


@pytest.mark.usefixtures("license_key")
@pytest.mark.parametrize(("query", "sentence"), BAD)
def test_is_refused_with_a_sentence(accept, query, sentence):
    with pytest.raises(BadEvent) as refused:
        accept(f"/api/1234/buy/u/1/11?quantity=1&fullprice=19.99EUR&{query}")
    assert refused.value.status == 400
    assert sentence in refused.value.message


def test_is_refused_where_the_license_key_is_not_known(accept):
    with pytest.raises(BadEvent, match="import_events"):
        accept(target(*VECTORS[0]))


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_target_ends_in_rows_or_a_sentence(tail):
    for start in (b"", b"/api/00000/click/", b"/api/strings/rendered/u/1/", b"/api/00000/buy/u/1/2?"):
        with suppress(BadEvent):
            intake.accept(start + tail, method="GET", headers={}, find=KNOWN.get, now=NOW)


@given(st.binary(max_size=9_000))
def test_the_path_parser_raises_nothing_else(target):
    with suppress(BadEvent):
        path.split(target)
