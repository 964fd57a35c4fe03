"""What somebody new does with content and recommendations, their hard words, and the pages of all such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.auth import user_has_any_page_permission
from wagtail.admin.ui.components import Component
from wagtail.models import ModelLogEntry

from config import glossary, onboarding
from config.glossary import Term
from personalization.client.models import ExportRun
from personalization.screens.view_as import LOOKED
from personalization.segments import preview
from personalization.server.models import ImportRun, StoredItem
from tracking.screens.pages import AdminPage

DISMISSIBLE = "lodestar_first_steps"


def a_page_was_published() -> bool:
    done = ImportRun.Status.DONE
    return ImportRun.objects.exclude(item_id="").filter(status=done).exists()


def an_export_was_asked_for() -> bool:
    of_exports = ContentType.objects.get_for_model(ExportRun)
    return bool(ModelLogEntry.objects.filter(content_type=of_exports, action="wagtail.create").exists())


def somebody_looked() -> bool:
    return bool(ModelLogEntry.objects.filter(action=LOOKED).exists())


STEPS = (
    onboarding.Step(
        name="content",
        title=_("Give the engine something to recommend"),
        text=_(
            "The engine recommends what it knows, and it knows what was exported to it. Start a full export"
            " once; after that every change of a page is sent by itself. The import history shows what "
            "arrived."
        ),
        url_name="personalization_imports:index",
        permission="engine.view_importrun",
        done=StoredItem.objects.exists,
        order=10,
    ),
    onboarding.Step(
        name="publish",
        title=_("Publish a page and see it arrive"),
        text=_(
            "Change a page and publish it. The change waits in the outbox until the engine has taken it, "
            "which takes seconds; then the page can be recommended. Nobody waits for the engine while "
            "editing, and nothing is lost while the engine cannot be reached."
        ),
        url_name="wagtailadmin_explore_root",
        allowed=user_has_any_page_permission,
        done=a_page_was_published,
        order=30,
    ),
    onboarding.Step(
        name="export",
        title=_("Run a full export"),
        text=_(
            "A full export writes all content of a site into files, tells the engine where they are, and "
            "replaces what the engine had. It is needed after fields were added, or when the engine lost "
            "something. The page of an export shows its progress, and it may be stopped."
        ),
        url_name="personalization_exports:add",
        permission="connector.add_exportrun",
        done=an_export_was_asked_for,
        order=40,
    ),
    onboarding.Step(
        name="look",
        title=_("See a page as a segment sees it"),
        text=_(
            "Put the block Targeting into the body of a page, with something for a segment and something "
            "for everybody else, and publish. View as segments, in the menu of the page, shows what each of"
            " them sees."
        ),
        url_name="view_as_segments",
        permission=preview.PERMISSION,
        done=somebody_looked,
        order=80,
    ),
)
METRICS = (
    Term("recall", _("Recall"), _("Share of what people came to later that their lists held, on average.")),
    Term(
        "ndcg",
        _("NDCG"),
        _(
            "Like recall, but what stands further up in a list counts for more; 1 is the best list there can "
            "be."
        ),
    ),
    Term(
        "hit-rate", _("Hit rate"), _("Share of people whose list held at least one item they came to later.")
    ),
    Term(
        "mrr",
        _("MRR"),
        _("1 divided by the place of the first right item of a list, on average; 0 for a list without one."),
    ),
    Term("coverage", _("Coverage"), _("Share of all items that stand in some list.")),
    Term(
        "popular-share",
        _("Popular share"),
        _("Share of the places of all lists that the most popular tenth of the items takes."),
    ),
    Term(
        "novelty",
        _("Novelty"),
        _("How little known the recommended items are, in bits: one more means half as well known."),
    ),
)
TERMS = (
    Term(
        "customer",
        _("Customer"),
        _(
            "One tenant of the engine: a number and a licence key, with content, events and models of its "
            "own."
        ),
    ),
    Term(
        "license-key", _("Licence key"), _("The password of a customer, known to the site and to the engine.")
    ),
    Term(
        "site-access",
        _("Site access"),
        _(
            "One way into the content, such as a language or a brand, with settings of its own in the sites"
            " file."
        ),
    ),
    Term("item", _("Item"), _("One thing that can be recommended: an article, a product, a place.")),
    Term(
        "item-type",
        _("Item type"),
        _("The kind of an item, as a number that the site and the engine agree on."),
    ),
    Term("output-type", _("Output type"), _("The item type that a scenario answers with.")),
    Term(
        "scenario",
        _("Scenario"),
        _("A named place for recommendations: what is shown there, by which models, and what is left out."),
    ),
    Term(
        "model",
        _("Model"),
        _(
            "What was learnt from events, such as what is bought together. Scenarios take their items from "
            "models."
        ),
    ),
    Term(
        "submodel",
        _("Submodel"),
        _("A part of a model for items with one value of an attribute, such as a brand."),
    ),
    Term(
        "level",
        _("Level"),
        _(
            "Models of a scenario that are asked together. When they have too little, the next level is "
            "asked."
        ),
    ),
    Term(
        "relevant-history",
        _("Relevant history"),
        _("How far back a model looks at events, in hours or days."),
    ),
    Term("export", _("Export"), _("All content of a site, written into files that the engine fetches.")),
    Term("outbox", _("Outbox"), _("Changes that wait until the engine has taken them.")),
    Term(
        "conversion",
        _("Conversion rate"),
        _("Followed recommendations by requests for recommendations. It may exceed 100 %."),
    ),
    Term(
        "ab-test",
        _("A/B test"),
        _(
            "Some of the users are answered by another scenario for a while, always the same ones. What both "
            "groups follow says which scenario is better."
        ),
    ),
    Term(
        "significance",
        _("Significance"),
        _(
            # xgettext:no-python-format
            "How sure one may be that a difference is no chance: 97 % sure means that of 100 tests of two "
            "equal scenarios 3 would show such a difference. Who looks every day and stops at the first 95 % "
            "is wrong more often than that."
        ),
    ),
    *METRICS,
    Term(
        "segment",
        _("Segment"),
        _("A named set of visitors that pages and recommendations may treat in a way of their own."),
    ),
    Term(
        "segment-group",
        _("Segment group"),
        _(
            "Segments that belong together. One may be filled from audiences; its segments are not changed "
            "by hand."
        ),
    ),
)


def shown_to(user: Any) -> dict[str, Any]:
    """``rows``: the steps that somebody may do, each with whether it was done; ``count``: how many were."""
    mine = [one for one in onboarding.all_steps() if one.is_for(user)]
    rows = [{"step": one, "done": one.done()} for one in mine]
    return {"rows": rows, "count": sum(one["done"] for one in rows)}


class FirstStepsPanel(Component):  # type: ignore[misc] # Wagtail publishes no types
    """On the home page, until somebody has put it away for themselves."""

    name = "lodestar_first_steps"
    template_name = "personalization/first_steps_panel.html"
    order = 40

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def is_dismissed(self) -> bool:
        profile = getattr(self.request.user, "wagtail_userprofile", None)
        return bool(profile and profile.dismissibles.get(DISMISSIBLE))

    def get_context_data(self, parent_context: Mapping[str, Any] | None) -> dict[str, Any]:
        shown = {} if self.is_dismissed() else shown_to(self.request.user)
        return shown | {"dismissible": DISMISSIBLE}


class FirstSteps(AdminPage):
    """The steps with their texts; it stays when the panel was put away."""

    page_title = _("First steps")
    header_icon = "tasks"
    template_name = "personalization/first_steps.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | shown_to(self.request.user)


class Glossary(AdminPage):
    page_title = _("Glossary")
    header_icon = "help"
    template_name = "personalization/glossary.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"terms": glossary.all_terms()}
