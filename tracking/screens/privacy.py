"""What is stored of one person: looking it up, taking it as a file, erasing it (docs/privacy.md).

A raw user id comes by POST and becomes the pseudonym at once. The forms of the answer carry on with that,
signed for the user who looked it up, so neither stands in an address or a log.
"""

from __future__ import annotations

import tempfile
from typing import Any, ClassVar

from django.core import signing
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from wagtail.admin import messages
from wagtail.log_actions import log

from config.customers import reach
from config.faults import Fault
from tracking.models import Person
from tracking.people import erase, export, summary, whom
from tracking.people.spans import Span
from tracking.people.whom import NoSuchPerson
from tracking.screens.denied import denied
from tracking.screens.pages import ERASE_PERSON, SEE_PERSON, SitesPage
from tracking.screens.receipt import place_called, receipts

LOOK_UP, TAKE, ERASED = "tracking.look_up_person", "tracking.export_person", "tracking.erase_person"
LOG_ACTIONS = (
    (LOOK_UP, _("Look up a person"), _("Looked up what is stored of a person")),
    (TAKE, _("Export person"), _("Took a file of everything that is stored")),
    (ERASED, _("Erase"), _("Asked for an erasure")),
)
SIGNED_SECONDS = 3_600
MOST_RECEIPTS = 50
IN_MEMORY = 1 << 20  # bytes of a file; more is spooled to disk, below no name


class Refusal(Exception):
    """What was asked for cannot be; the message is a sentence without the id."""


@method_decorator(sensitive_post_parameters("user", "person"), name="dispatch")
class Privacy(SitesPage):
    """Shows the form, and after a look-up what is stored."""

    permission_required = SEE_PERSON
    header_icon = "view"
    page_title = _("Privacy")
    template_name = "tracking/privacy.html"
    actions = ("find", "take", "erase")
    action_permissions: ClassVar = {"erase": ERASE_PERSON}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        action = request.POST.get("action", "")
        try:
            if action not in self.actions:
                raise Refusal(gettext("There is no such action."))
            answer: HttpResponseBase = getattr(self, f"do_{action}")()
        except (Refusal, Fault) as reason:
            messages.error(request, str(reason))
            return self.shown(status=422)
        return answer

    @sensitive_variables("user")
    def do_find(self) -> HttpResponse:
        customer_id, user = self.request.POST.get("customer_id", ""), self.request.POST.get("user", "")
        if not self.may(SEE_PERSON, customer_id) or not user:
            raise Refusal(gettext("Choose a customer and type a user id."))
        try:
            own = whom.own(customer_id, user)
        except NoSuchPerson as reason:
            raise Refusal(gettext("No user can have this id: it is not_defined, or too long.")) from reason
        self.log(own, LOOK_UP)
        return self.shown(own)

    def do_take(self) -> HttpResponseBase:
        """Whole before it is sent, so that a place that does not answer is a sentence and no half file."""
        own = self.spans_named()
        document = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by the answer
        for part in export.Document(own):
            document.write(part)
        document.seek(0)
        self.log(own, TAKE)
        name = f"person-{own[0].customer_id}-{own[0].user[: erase.DIGITS]}.json"
        answer = FileResponse(document, as_attachment=True, filename=name, content_type="application/json")
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def do_erase(self) -> HttpResponseBase:
        own = self.spans_named()
        if not self.may(ERASE_PERSON, own[0].customer_id):
            return denied(self.request, ERASE_PERSON)
        word = gettext("erase")
        if self.request.POST.get("word", "").strip().lower() != word.lower():
            words = gettext("Type the word %(word)s to erase this person. Nothing was erased.")
            messages.error(self.request, words % {"word": word})
            return self.shown(own, status=422)
        linked = whom.linked(own) if self.request.POST.get("linked") else ()
        erasure = erase.ask((*own, *linked), linked=bool(linked))
        self.log(own, ERASED, receipt=erasure.receipt)
        return redirect("tracking_erasure", erasure.receipt)

    def may(self, permission: str, customer_id: str) -> bool:
        """Of customers that there are: others, which may have events still, are for the commands."""
        known = reach.customers(self.request.user, permission)
        return any(one.customer_id == customer_id for one in known)

    def signed(self, own: tuple[Span, ...]) -> str:
        return signing.dumps([own[0].customer_id, *(span.user for span in own)], salt=self.salt())

    def spans_named(self) -> tuple[Span, ...]:
        """Raises :class:`Refusal` for what is not this user's, too old, or of a customer out of reach."""
        try:
            given = self.request.POST.get("person", "")
            customer_id, *users = signing.loads(given, salt=self.salt(), max_age=SIGNED_SECONDS)
        except signing.BadSignature:
            raise Refusal(gettext("This page is older than an hour: look the person up again.")) from None
        if not self.may(SEE_PERSON, customer_id):
            raise Refusal(gettext("Choose a customer and type a user id."))
        return tuple(Span(customer_id, user) for user in users)

    def salt(self) -> str:
        return f"tracking.privacy:{self.request.user.pk}"

    def log(self, own: tuple[Span, ...], action: str, *, receipt: str = "") -> None:
        """By what stands in receipts: the customer and the first digits of the pseudonym."""
        name = f"{own[0].user[: erase.DIGITS]} of customer {own[0].customer_id}"
        label = f"{name}, {receipt}" if receipt else name
        log(Person(name=name), action, user=self.request.user, title=label)

    def shown(self, own: tuple[Span, ...] = (), *, status: int = 200) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data(own=own), status=status)
        return answer

    def get_context_data(self, *, own: tuple[Span, ...] = (), **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user: Any = self.request.user
        context |= {
            "customers": reach.customers(user, SEE_PERSON),
            "customer_id": self.request.POST.get("customer_id", "") or (own[0].customer_id if own else ""),
            "may_see_receipts": reach.anywhere(user, ERASE_PERSON),
            "receipts": receipts(user)[:MOST_RECEIPTS],
        }
        return context | self.of_person(own) if own else context

    def of_person(self, own: tuple[Span, ...]) -> dict[str, Any]:
        found = summary.of(own, whom.linked(own))
        elsewhere = found.elsewhere.items()
        return {
            "found": found,
            "person": self.signed(own),
            "digits": own[0].user[: erase.DIGITS],
            "elsewhere": [(place_called(name), count) for name, count in elsewhere if count],
            "may_erase": self.may(ERASE_PERSON, own[0].customer_id),
            "word": gettext("erase"),
        }
