"""A schema, and what is mapped to it ..."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.dataflows import editing, mapping, schemas, stages
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.schemas import FieldSpec
from cdp.profiles.models import Account, PersonIdentifier
from tests.cdp.dataflows.conftest import USERS, Feed

pytestmark = pytest.mark.django_db
FIELDS = [FieldSpec("email", "string"), FieldSpec("age", "integer")]


def test_it_has_its_identifier_and_the_chosen_fields(account: Account) -> None:
    schema = schemas.create(account, name="People", kind="personal", fields=FIELDS, identifier="userid")
    found = list(schema.fields.values_list("name", "type", "mandatory", "locked"))
    assert found == [
        ("userid", "string", True, True),
        ("email", "string", False, False),
        ("age", "integer", False, False),
    ]


def test_it_inherits_from_another(account: Account) -> None:
    parent = schemas.create(account, name="People", kind="personal", fields=FIELDS, identifier="userid")
    child = schemas.create(
        account,
        name="Members",
        kind="catalog",
        parent=parent,
        fields=[FieldSpec("age", "string"), FieldSpec("since", "date")],
        identifier="userid",
    )
    assert child.kind == "personal"
    assert dict(child.fields.values_list("name", "type")) == {
        "userid": "string",
        "email": "string",
        "age": "integer",
        "since": "date",
    }
    assert not child.fields.get(name="since").locked


@pytest.mark.case("D23")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "required"),
        ({"name": "1st"}, "bad_name"),
        ({"name": "x" * 101}, "bad_name"),
        ({"name": "PEOPLE"}, "name_taken"),
        ({"kind": "other"}, "invalid_choice"),
        ({"identifier": ""}, "identifier_required"),
        ({"identifier": "shoe"}, "identifier_required"),
        ({"fields": []}, "columns_required"),
        ({"kind": "catalog", "identifier": "", "key": "sku"}, "key_required"),
        ({"fields": [FieldSpec("a b", "string")]}, "bad_name"),
        ({"fields": [FieldSpec("a", "string"), FieldSpec("A", "string")]}, "duplicate_column"),
        ({"fields": [FieldSpec("a", "object")]}, "invalid_choice"),
    ],
)
def test_it_is_refused_with_a_code(account: Account, changes: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {"name": "New", "kind": "personal", "fields": FIELDS, "identifier": "userid"}
    schemas.create(account, **given | {"name": "People"})
    with pytest.raises(DataflowFault) as fault:
        schemas.create(account, **given | changes)
    assert fault.value.code == code


def test_it_needs_an_identifier_that_is_in_use(account: Account) -> None:
    PersonIdentifier.objects.filter(account=account, name="coid").update(active=False)
    with pytest.raises(DataflowFault) as fault:
        schemas.create(account, name="New", kind="personal", fields=FIELDS, identifier="coid")
    assert fault.value.code == "identifier_required"


def test_it_can_only_grow_once_a_dataflow_in_force_fills_it(feed: Feed) -> None:
    schema = feed.prepare()
    schemas.change_field(schema.fields.get(name="city"), mandatory=True)
    schemas.change_field(schema.fields.get(name="city"), mandatory=False)
    feed.activate()
    for change in (lambda one: schemas.change_field(one, type="integer"), schemas.remove_field):
        with pytest.raises(DataflowFault) as fault:
            change(schema.fields.get(name="city"))
        assert fault.value.code == "schema_locked"
    assert schemas.add_field(schema, FieldSpec("zip", "string", mandatory=True)).mandatory is False
    with pytest.raises(DataflowFault) as fault:
        schemas.remove(schema)
    assert fault.value.code == "in_use"


def test_its_identifier_stays(account: Account) -> None:
    schema = schemas.create(account, name="People", kind="personal", fields=FIELDS, identifier="userid")
    with pytest.raises(DataflowFault) as fault:
        schemas.remove_field(schema.fields.get(name="userid"))
    assert fault.value.code == "schema_locked"
    schemas.remove(schema)


def problems(feed: Feed, **update: Any) -> list[str]:
    """Codes of what is wrong once the mapping says something else."""
    (before,) = stages.in_hand(feed.flow).mappings
    editing.set_mappings(feed.flow, [before.model_copy(update=update)])
    return [one.code for one in stages.missing(feed.flow).problems["transform"]]


def test_it_is_filled_by_columns_of_the_same_name_and_the_identifier_by_hand(feed: Feed) -> None:
    feed.post(USERS, draft=True)
    editing.validate(feed.flow)
    schema = feed.schema()
    filled = mapping.proposed(schema, ["ID", "login", "email", "city"])
    assert filled.fields == {"id": "ID", "login": "login", "email": "email", "city": "city"}
    editing.set_mappings(feed.flow, [filled])
    assert "identifier_required" in [one.code for one in stages.missing(feed.flow).problems["transform"]]


@pytest.mark.case("D25")
@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"fields": {"userid": "id", "id": "login"}}, "incompatible_type"),
        ({"fields": {"userid": "score"}}, "incompatible_type"),
        ({"fields": {"userid": "shoe"}}, "unknown_column"),
        ({"fields": {"userid": "id", "shoe": "id"}}, "unknown_field"),
        ({"fields": {"login": "login"}}, "identifier_required"),
        ({"write_mode": None}, "write_mode_required"),
        ({"schema_id": 0}, "unknown_schema"),
    ],
)
def test_it_is_not_filled_by_just_anything(feed: Feed, update: dict[str, Any], code: str) -> None:
    feed.prepare([user | {"score": 1.5} for user in USERS])
    assert problems(feed, **update) == [code]
    assert feed.flow.status == "validated"
