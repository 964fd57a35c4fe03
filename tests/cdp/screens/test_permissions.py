"""Who sees and may do what: groups, single sites, no dead buttons, and refusals that say why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve, reverse
from wagtail.models import GroupSitePermission, Site

from cdp import groups
from cdp.screens import access
from config.customers import reach
from tests.cdp.screens import own_screens
from tests.cdp.screens.own_screens import Offer
from tests.cdp.screens.two_sites import HOST, Side, logged_in, member, of_all_sites, of_site, written

pytestmark = [pytest.mark.django_db(databases=["default", configured.EVENTS_DB]), pytest.mark.timeout(240)]
DOC = Path(__file__).resolve().parents[3] / "docs" / "permissions.md"
# Addresses that are asked for by scripts, by POST or within a draft; the test of single sites asks those.
NOT_WALKED = re.compile(
    r"_results$|:history|:index_results|draft|cdp_activation_(general|receiver|audiences)$|cdp_audience_preview"
    r"|personalization_item_search|tracking_debugger_(feed|pseudonym)|view_as_segments|:chart$|:usage|personalization_customers:delete"
)


@pytest.fixture(autouse=True)
def _two_sites(tmp_path: Path, settings: Any, db: None) -> None:
    written(tmp_path, settings)
    settings.LAKE_ROOT, settings.ARTEFACT_ROOT = tmp_path / "lake", tmp_path / "models"
    groups.make(Group.objects, Permission.objects)  # a test that flushed the tables took them away


def addresses(keys: dict[str, list[Any]]) -> dict[str, str]:
    """Every own page by its name."""
    found = {}
    for name in sorted(own_screens.names()):
        if not NOT_WALKED.search(name):
            found[name] = reverse(name, args=keys.get(name, []))
    return found


class Visitor:
    """Somebody who looks at pages, at each of them once."""

    def __init__(self, client: Client, user: User) -> None:
        self.client, self.user = client, user
        self.seen: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        if path not in self.seen:
            self.seen[path] = self.client.get(path)
        return self.seen[path]

    def is_refused(self, path: str) -> bool:
        """Wagtail's own pages lead to the start instead."""
        answer = self.get(path)
        return answer.status_code == 403 or answer.headers.get("Location") == reverse("wagtailadmin_home")

    def may_post(self, address: str, action: str) -> bool:
        """Whether an action of a page is allowed: by what the page asks for, without doing it."""
        view = getattr(resolve(address.partition("?")[0]).func, "view_class", None)
        needed = getattr(view, "action_permissions", {}).get(action)
        is_there = self.get(address).status_code in (200, 302, 405)
        return is_there and (needed is None or reach.anywhere(self.user, needed))

    def offered_in_vain(self, pages: dict[str, str]) -> Iterator[str]:
        """What is offered and not allowed. Of links to the same view one is followed."""
        followed = {resolve(path.partition("?")[0]).view_name for path in pages.values()}
        followed -= {name for name, path in pages.items() if self.is_refused(path)}
        for name, address in pages.items():
            answer = self.get(address)
            if answer.status_code != 200 or "html" not in answer["Content-Type"]:
                continue
            offer = Offer(answer.content.decode(), address)
            for link in sorted(offer.links):
                path = link.partition("#")[0]
                if not path.startswith("/admin/") or "logout" in path:
                    continue
                try:
                    view = resolve(path.partition("?")[0]).view_name
                except Resolver404:
                    yield f"{name}: {path} does not exist"
                    continue
                if view not in followed:
                    followed.add(view)
                    if self.is_refused(path):
                        yield f"{name}: link to {path}"
            yield from (f"{name}: a form to {one} without a button" for one in offer.dead)
            for target, action in sorted(offer.actions):
                ours = target.startswith("/admin/") and "logout" not in target
                if ours and not self.may_post(target, action):
                    yield f"{name}: {action or 'form'} to {target}"


def test_its_groups_may_what_the_documentation_says_and_see_no_dead_buttons() -> None:
    side = Side("501", 123456)
    pages = addresses(side.keys | of_all_sites())
    lines = [line.split(" | ") for line in DOC.read_text().splitlines() if line.startswith("| `")]
    told = {cells[0].strip("|` "): [cell.strip(" |") == "yes" for cell in cells[2:]] for cells in lines}
    offered_in_vain: set[str] = set()
    for place, (name, wanted) in enumerate(groups.GROUPS.items(), start=1):
        group = Group.objects.get(name=name)
        held = {f"{one.content_type.app_label}.{one.codename}" for one in group.permissions.all()}
        assert held >= set(wanted)
        assert {one for one, cells in told.items() if cells[place]} == set(wanted)
        somebody = Visitor(member(name), User.objects.filter(groups=group).get())
        open_to = {page for page, path in pages.items() if not somebody.is_refused(path)}
        assert {"first_steps", "glossary"} <= open_to
        assert ("cdp_profile" in open_to) == ("profiles.view_profile" in wanted)
        assert ("personalization_scenario_new" in open_to) == ("engine.change_scenario" in wanted)
        assert ("personalization_test_end" in open_to) == ("engine.change_scenariotest" in wanted)
        may_take_over = {"engine.change_scenariotest", "engine.change_scenario"} <= set(wanted)
        assert ("personalization_test_take_over" in open_to) == may_take_over
        assert ("personalization_evaluation:report" in open_to) == ("engine.view_model" in wanted)
        assert ("personalization_tokens:index" in open_to) == ("connector.view_accesstoken" in wanted)
        assert ("tracking_debugger" in open_to) == ("tracking.view_event" in wanted)
        assert ("segments:edit" in open_to) == ("segments.change_segment" in wanted)
        assert "personalization_installation" not in open_to
        home = {"home": reverse("wagtailadmin_home")}
        offered_in_vain |= {f"{name}: {one}" for one in somebody.offered_in_vain(home | pages)}
    assert sorted(offered_in_vain) == []
    assert {one for one, cells in told.items() if cells[0]} == set(reach.offered())


def test_it_keeps_to_the_sites_for_which_somebody_has_a_permission() -> None:
    mine, other = Side("501", 123456), Side("9150272", 222222)
    site = Site.objects.get(is_default_site=True)
    client = of_site(site, *reach.offered())
    everybody = {**addresses(mine.keys | of_all_sites())}
    somebody = Visitor(client, User.objects.get(username__startswith="Of-"))
    closed = {name for name, path in everybody.items() if somebody.is_refused(path)}
    assert {re.sub(":.*", "", name) for name in closed} == {
        "segments",
        "segment_groups",
        "cdp_webhook",
        "cdp_webhook_request",
        "personalization_customers",  # a new one
        "personalization_imports",  # nobody makes one
        "personalization_installation",
        "personalization_outbox",  # nobody makes a message, and all of them are sent for all sites
    }
    for name, path in everybody.items():
        if name in closed:
            continue
        answer = somebody.get(path)
        text = b"".join(answer) if answer.streaming else answer.content
        for foreign in (b"222222", b"9150272", other.named.encode()):
            assert foreign not in text or foreign in path.encode(), (name, foreign)
    theirs = {name: reverse(name, args=parts) for name, parts in other.keys.items()}
    assert {name: client.get(path).status_code for name, path in theirs.items()} == dict.fromkeys(theirs, 404)
    for name, path in theirs.items():
        assert client.post(path, {"action": "save"}).status_code in (404, 405), name
    search = reverse("personalization_item_search")
    assert client.get(search, {"customer": "501", "q": "1"}).status_code == 200
    assert client.get(search, {"customer": "9150272", "q": "1"}).status_code != 200
    progress = reverse("personalization_evaluation:progress")
    assert client.get(progress, {"customer": "501"}).status_code == 200
    assert client.get(progress, {"customer": "9150272"}).status_code == 404
    measure = reverse("personalization_evaluation:index") + "?customer=9150272"
    assert client.post(measure, {"action": "measure", "signal": "click", "days": "9"}).status_code == 403
    begin = {"action": "begin", "customer": "9150272", "share_b": "10", "weeks": "1", "begin": "now"}
    assert client.post(reverse("personalization_test_new"), begin).status_code == 404
    make = {"action": "save", "customer": "9150272", "name": "Mine", "identifier": "mine"}
    assert client.post(reverse("personalization_scenario_new"), make).status_code == 404
    asked = {"account": other.account.pk, "definition": {}}
    preview = client.post(reverse("cdp_audience_preview"), asked, content_type="application/json")
    assert preview.status_code == 404
    pseudonym = reverse("tracking_debugger_pseudonym")
    assert client.post(pseudonym, {"customer_id": "9150272", "user": "a"}).status_code == 400
    assert client.post(pseudonym, {"customer_id": "501", "user": "a"}).status_code == 200
    of_one_request = User.objects.get(username__startswith="Of-")
    asked_often = [access.may(of_one_request, "dataflows.change_dataflow", mine.account)]
    with CaptureQueriesContext(connection) as queries:
        for account in (mine.account, other.account):
            asked_often.append(access.may(of_one_request, "dataflows.change_dataflow", account))
    assert (asked_often, len(queries)) == ([True, True, False], 0)
    shown = {name: everybody[name] for name in everybody.keys() - closed}
    assert sorted(somebody.offered_in_vain(shown)) == []
    only_looked_at(client, theirs)


# What changes nothing, and the only pages that are there for a change alone.
HARMLESS = {"", "ask", "find", "refresh", "send"}
FOR_A_CHANGE = re.compile(
    "_sure|_erase|_merge|_part|erasure|test_(end|take)|:edit|:cancel|:resend|:revoke|:add|:delete"
)


def only_looked_at(client: Client, theirs: dict[str, str]) -> None:
    """Whoever may change one site and only see another one has no button there."""
    two = Site.objects.get(hostname=HOST)
    for one in Group.objects.get(name__startswith="Of ").site_permissions.select_related("permission"):
        if one.permission.codename.startswith("view_"):
            GroupSitePermission.objects.create(group=one.group, site=two, permission=one.permission)
    for name, path in theirs.items():
        answer = client.get(path)
        is_for_a_change = bool(FOR_A_CHANGE.search(name))
        assert answer.status_code in ((403, 404) if is_for_a_change else (200, 302)), name
        if answer.status_code == 200 and "html" in answer["Content-Type"] and not answer.streaming:
            offer = Offer(answer.content.decode(), path)
            assert {action for _target, action in offer.actions} <= HARMLESS, name
            assert not offer.dead, name
        assert client.post(path, {"action": "save"}).status_code in (200, 403, 404, 405), name


def test_the_form_of_a_group_gives_permissions_for_single_sites() -> None:
    boss = logged_in(User.objects.create_superuser("boss", "boss@example.org", "x" * 12))
    group = Group.objects.get(name="Marketers")
    two = Site.objects.get(hostname=HOST)
    form = reverse("wagtailusers_groups:edit", args=[group.pk])
    page = boss.get(form).content.decode()
    one = Permission.objects.get(codename="view_scenario", content_type__app_label="engine")
    name = f"lodestar_sites-site-{two.pk}"
    assert re.search(rf'name="{name}" value="{one.pk}" aria-label="Can view scenario: ', page)
    kept = {
        "name": group.name,
        **{f"{prefix}-TOTAL_FORMS": "0" for prefix in re.findall(r'name="(\w+)-TOTAL_FORMS"', page)},
        **{f"{prefix}-INITIAL_FORMS": "0" for prefix in re.findall(r'name="(\w+)-INITIAL_FORMS"', page)},
        "permissions": list(map(str, group.permissions.values_list("pk", flat=True))),
    }
    assert boss.post(form, kept | {name: [one.pk]}).status_code == 302
    assert GroupSitePermission.objects.values_list("group", "site", "permission").get() == (
        group.pk,
        two.pk,
        one.pk,
    )
    assert f'name="{name}" value="{one.pk}" checked' in boss.get(form).content.decode()
    assert boss.post(form, kept).status_code == 302
    assert not GroupSitePermission.objects.exists()


def test_a_refusal_names_the_permission_and_whom_to_ask() -> None:
    User.objects.create_superuser("boss", "boss@example.org", "x" * 12, first_name="Ada", last_name="Boss")
    client = member("Analysts")
    for address, words in (
        (reverse("personalization_scenario_new"), "Can change scenario"),
        (reverse("personalization_test_new"), "Can change A/B test"),
        (reverse("personalization_tokens:index"), "Can view access token"),
        (reverse("cdp_dataflow_new"), "Can change dataflow"),
        (reverse("personalization_installation"), "This is for administrators"),
    ):
        answer = client.get(address)
        assert answer.status_code == 403
        text = answer.content.decode()
        assert words in text
        assert "Ada Boss" in text
