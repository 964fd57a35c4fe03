"""This installation's own membership API is asked in the same thread."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser

from cdp.activations import changes as activations
from config import site_access
from personalization.segments import changes, queries
from tests.cdp.activations import made
from tests.cdp.visitors.conftest import SITES, VISITOR, MembershipApi, asked_by

pytestmark = pytest.mark.django_db


def test_it_knows_who_is_in_an_audience_of_its_own(sites: Path, api: MembershipApi) -> None:
    account = made.account()
    audience = made.audience(account, "cats", made.person(account, coid=VISITOR))
    activation, key = activations.create(
        account, name="API", kind="cdp_api", person_identifier="coid", audiences=[audience]
    )
    credentials = f"{{activation_id: {activation.public_id}, api_key: {key}}}"
    sites.write_text(SITES.partition("        membership:")[0] + f"        membership: {credentials}\n")
    site_access.reload()
    group = changes.create_group(identifier="audiences", name="Audiences")
    changes.create_segment(
        group, identifier="cats", name="Cats", by_platform=True, audience=f"aud_{audience.pk}"
    )
    assert queries.of_request(asked_by(AnonymousUser())).identifiers == {"cats"}
    assert queries.of_request(asked_by(AnonymousUser(), cookie="a-stranger-indeed")).identifiers == set()
    assert not api.asked
