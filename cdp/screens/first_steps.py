"""What somebody new does with customer data, and its hard words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cdp.activations.models import LedgerEntry
from cdp.audiences.models import Audience
from cdp.dataflows.models import Dataflow
from config import onboarding
from config.glossary import Term


def people_flow_in() -> bool:
    return Dataflow.objects.filter(status=Dataflow.Status.ACTIVE).exists()


STEPS = (
    onboarding.Step(
        name="people",
        title=_("Bring in people"),
        text=_(
            "A dataflow takes what another system knows about people, from a stream or a file, and makes "
            "profiles of it. Send a draft first: its columns are found by themselves, you say which of them"
            " names a person and where the others go, test it, and only then switch it to real data."
        ),
        url_name="dataflows:index",
        permission="dataflows.view_dataflow",
        done=people_flow_in,
        order=50,
    ),
    onboarding.Step(
        name="audience",
        title=_("Build an audience"),
        text=_(
            "An audience is a rule about people: what they did, did not do, and have. The builder shows its"
            " size while you type and says the rule in a sentence. It is calculated again by itself, as "
            "often as its shortest window of time asks for."
        ),
        url_name="audiences:index",
        permission="audiences.view_audience",
        done=Audience.objects.exists,
        order=60,
    ),
    onboarding.Step(
        name="activation",
        title=_("Activate it"),
        text=_(
            "An activation keeps a receiver up to date with who is in which audience: this site, another "
            "one, or a file. On a site each audience becomes a segment of one segment group."
        ),
        url_name="activations:index",
        permission="activations.view_activation",
        done=LedgerEntry.objects.exists,
        order=70,
    ),
)
TERMS = (
    Term(
        "account",
        _("Account"),
        _("One tenant of the customer data platform: a number, with people and dataflows of its own."),
    ),
    Term("dataflow", _("Dataflow"), _("The way of rows from a source to profiles or a catalogue.")),
    Term(
        "draft",
        _("Draft"),
        _("A few rows sent to find out what they look like. They are never stored as people."),
    ),
    Term("schema", _("Schema"), _("The fields that rows are mapped to, with their types.")),
    Term(
        "person-identifier",
        _("Person identifier"),
        _("A field whose values name people. Rows with the same value belong to the same person."),
    ),
    Term(
        "profile",
        _("Profile"),
        _("What is known of one person, from all sources: names, attributes, what it did, consent."),
    ),
    Term("append", _("Append"), _("Rows are added to what is there, or change it.")),
    Term(
        "overwrite",
        _("Overwrite"),
        _(
            "A whole delivery takes the place of the one before; who is not in it loses what this source "
            "said."
        ),
    ),
    Term(
        "held",
        _("Held data"),
        _("Rows that arrived while their dataflow was not active, kept for some days."),
    ),
    Term("audience", _("Audience"), _("People whom a rule describes, calculated again and again.")),
    Term(
        "activation",
        _("Activation"),
        _("What tells a receiver who came into an audience and who left it."),
    ),
)
