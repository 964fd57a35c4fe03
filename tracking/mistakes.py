"""What a refusal means in the words of whoever connects a site, and what to do about it (reference D3, 17).

Reasons are sentences of the collector with their values taken out. Here each is recognised by its wording, so
that the collector need not know anything of screens; a test sends every mistake and looks for its remedy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Mistake:
    """``reason``: the wording, whose named groups stand in ``title`` and ``fix``."""

    reason: str
    title: str | Promise
    fix: str | Promise


@dataclass(frozen=True)
class Told:
    """What was wrong and what to do, in the language of the reader."""

    title: str
    fix: str


NAME = r"(?P<name>\w+)"
MISTAKES = (
    # Values.
    Mistake(rf"{NAME} must have a decimal point", _("%(name)s with a comma"), _("Use a point: 2.50EUR.")),
    Mistake(
        rf"{NAME} must be an amount and a currency with no space",
        _("%(name)s with a space"),
        _("Write the amount and the currency together: 2.50EUR."),
    ),
    Mistake(
        rf"{NAME} must be an amount",
        _("%(name)s is no amount with a currency"),
        _("Send digits, a point, at most four decimals and the code of the currency: 2.50EUR."),
    ),
    Mistake(
        rf"{NAME} must be an ISO 4217 code",
        _("%(name)s is unknown"),
        _("Send the three capital letters of ISO 4217, such as EUR."),
    ),
    Mistake(
        rf"{NAME} must be a number, string ids",
        _("%(name)s with letters"),
        _("Send the number of the item. Ids with letters need a customer with alphanumeric items."),
    ),
    Mistake(
        rf"{NAME} must be (?P<low>\d+) to (?P<high>\d+) (?:printable|visible|letters)",
        _("%(name)s is empty, too long or has characters that it cannot have"),
        _("Send %(low)s to %(high)s characters; the reason says which."),
    ),
    Mistake(
        rf"{NAME} must be (?P<low>\d+) to (?P<high>\d+);",
        _("%(name)s is no whole number, or out of bounds"),
        _("Send %(low)s to %(high)s in digits only: no sign, no decimals, no spaces."),
    ),
    Mistake(
        r"itemid must be a list of at most",
        _("Too many items in one event"),
        _("Send at most 500 ids at once, and the rest in further events."),
    ),
    Mistake(
        r"(?P<name>\w*userid|user) must be (?:at most|1 to)",
        _("%(name)s is empty or too long"),
        _("Send the id itself, at most 1,024 bytes. Is a token or a whole cookie sent instead?"),
    ),
    # What is missing or there twice.
    Mistake(
        rf"{NAME} must be given for (?P<event>\w+)",
        _("%(event)s without %(name)s"),
        _("Add the parameter %(name)s."),
    ),
    Mistake(rf"{NAME} must be given", _("%(name)s is missing"), _("Add %(name)s to each event of the body.")),
    Mistake(
        rf"{NAME} given twice",
        _("%(name)s is given twice"),
        _("Send it once. Is it added to an address that has it already?"),
    ),
    Mistake(
        r"sourceuserid and targetuserid must differ",
        _("Login of a user as the same user"),
        _("Send the random id of the visitor as the source, and the account as the target."),
    ),
    # Addresses.
    Mistake(
        r"^customer .*not found",
        _("Unknown customer"),
        _("Compare the customer id in the tracking code with the one under Personalization, Customers."),
    ),
    Mistake(
        r"did you mean (?P<near>\w+)\?", _("Unknown event"), _("Call it %(near)s, if that is what was meant.")
    ),
    Mistake(r"^event .*not found", _("Unknown event"), _("Use one of the events that the reason lists.")),
    Mistake(
        r"(?P<event>\w+) must be followed by /(?P<shape>\S+?);",
        _("%(event)s with too many or too few parts in its address"),
        _("After the event comes /%(shape)s. Is an id empty, or is a slash in an id not written as %%2F?"),
    ),
    Mistake(
        r"this address takes events",
        _("Address of no event"),
        _("Copy the address from Tracking, Tracking code."),
    ),
    Mistake(
        r"the address must be at most",
        _("Address too long"),
        _("Send the parameters in the body of a POST, or shorten category paths."),
    ),
    Mistake(
        r"UTF-8|a % in the address|backslash|NUL byte|must start with a slash",
        _("Wrongly encoded"),
        _("Encode each part of the address as UTF-8, in JavaScript with encodeURIComponent."),
    ),
    # Who may send what.
    Mistake(
        r"takes events only with its customer id and license key",
        _("Without license key"),
        _("Send customer id and license key as basic authentication."),
    ),
    Mistake(
        r"takes no events from pages of",
        _("From a page of a foreign site"),
        _("Add the origin of the page to those of the customer, or take the tracking code off that page."),
    ),
    Mistake(
        r"userid must come with|accounts are not joined",
        _("User id without the signature of the site"),
        _("Make the tracking code with the template tags, which sign; or sign user ids on your server."),
    ),
    Mistake(
        r"slow down",
        _("Too many events at once"),
        _("Spread them, or give the customer a bigger budget (events_per_second)."),
    ),
    Mistake(
        r"overridetimestamp|signature must",
        _("Event of the past without proof"),
        _("Sign it with the license key and send a time in UTC, or use manage.py import_events."),
    ),
    # Bodies and HTTP.
    Mistake(r"JSON", _("Body that is no JSON of an event"), _("Send an object with the event's parameters.")),
    Mistake(
        r"(?:the body|a batch|an event) must (?:be at most|hold at most|name at most)|an event has at most",
        _("Too much at once"),
        _("Send less in one request."),
    ),
    Mistake(
        r"the body|send (?:the events|parameters)|an event must be",
        _("Body of another kind"),
        _("The reason says which bodies are taken, and of which type."),
    ),
    Mistake(r"method", _("Wrong method"), _("Use the method that the reason names.")),
    Mistake(
        r"the request must|the headers must|HTTP|Content-Length",
        _("Not proper HTTP"),
        _("Look at what stands between: a proxy, or a program that writes requests by hand."),
    ),
    Mistake(
        rf"{NAME} must be ",
        _("%(name)s is not as it has to be"),
        _("The reason says what it has to look like."),
    ),
)
_known = [(re.compile(one.reason), one) for one in MISTAKES]


def told(reason: str) -> Told:
    """What a stored reason means; one that nobody knows stands for itself."""
    for wording, mistake in _known:
        if found := wording.search(reason):
            values = found.groupdict()
            return Told(str(mistake.title) % values, str(mistake.fix) % values)
    return Told(reason, gettext("The reason says what was expected."))
