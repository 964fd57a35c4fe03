"""What somebody new does with tracking, and its hard words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config import onboarding
from config.glossary import Term
from tracking.models import Event

LOOKED_AT = 200  # events
LIVE = 10_000_000  # microseconds between an event and its receipt
FEWEST = 3  # what a replayed past may hold by chance


def events_arrive() -> bool:
    """Whether visitors of now are among the newest events, and not only a past that was taken in."""
    newest = Event.objects.order_by("-pk").values_list("ts", "received")[:LOOKED_AT]
    return sum(0 <= received - ts < LIVE for ts, received in newest) >= FEWEST


STEPS = (
    onboarding.Step(
        name="events",
        title=_("Watch events arrive"),
        text=_(
            "Open the site in a second window and look at three pages. The event debugger shows each click "
            "a moment later, with what was stored or why it was refused. Recommendations and audiences are "
            "made of these events, so this is the place to look when something is missing."
        ),
        url_name="tracking_debugger",
        permission="tracking.view_event",
        done=events_arrive,
        order=20,
    ),
)
TERMS = (
    Term(
        "event",
        _("Event"),
        _("Something that a visitor did: looked at an item, bought it, followed a recommendation."),
    ),
    Term(
        "pseudonym",
        _("Pseudonym"),
        _(
            "What stands for a visitor wherever events are kept. The name that the site uses cannot be read"
            " from it."
        ),
    ),
    Term(
        "tracking-code",
        _("Tracking code"),
        _(
            "Lines in the head of a page that send its events. Pages made with our template tags have it "
            "already."
        ),
    ),
    Term(
        "consent",
        _("Consent"),
        _(
            "What a visitor allowed: statistics, personalisation, marketing. Without it nothing is kept "
            "under a pseudonym."
        ),
    ),
)
