"""A new activation in three steps (reference `cdp.md` 4.1): general, receiver, audiences.

Each step is a page that is judged when it is left. What was entered waits in a draft of the session
(:mod:`cdp.screens.activation_drafts`), the secret sealed: so *Test connection* needs no script, stays on its
step and has nothing to send back to the browser.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.activations import changes, own, secrets
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation
from cdp.activations.targets import all_targets, find
from cdp.audiences.models import Audience
from cdp.profiles.models import Account, PersonIdentifier
from cdp.screens import access
from cdp.screens import activation_drafts as drafts
from cdp.screens.activation_drafts import Draft
from cdp.screens.activations import (
    CHANGE,
    ActivationPage,
    chosen,
    config_of,
    fields_of,
    labelled,
    usable_audiences,
)
from cdp.screens.audiences import PURPOSES
from cdp.screens.audiences import VIEW as SEE_AUDIENCES
from cdp.screens.one_activation import OneActivation
from cdp.screens.page import key_of

SITE = "ibexa"
USERID = "userid"  # by which a site knows its users (reference 4.1)
KEPT = "it stays in the draft of the session; only the last step makes an activation"
OWN = "own:"  # before the client id of a site of ours
STEPS = (
    ("cdp_activation_general", _("General Information")),
    ("cdp_activation_receiver", _("Receiver")),
    ("cdp_activation_audiences", _("Audiences")),
)


class WizardPage(ActivationPage):
    """``step``: its number, from 0 on."""

    permission_required = CHANGE
    page_title = _("Create new activation")
    step = 0

    @cached_property
    def draft(self) -> Draft | None:
        return drafts.read(self.request.session, self.kwargs["draft"])

    @property
    def known(self) -> Draft:
        assert self.draft is not None  # noqa: S101 - dispatch has seen to it
        return self.draft

    @cached_property
    def account(self) -> Account:
        return Account.objects.get(pk=self.known.account)

    @cached_property
    def own_site(self) -> own.OwnSite | None:
        return own.find(self.account, self.known.own) if self.known.own else None

    def whose(self) -> Account | None:
        draft = self.draft if "draft" in self.kwargs else None
        return Account.objects.filter(pk=draft.account).first() if draft else None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.has_permission() and (elsewhere := self.elsewhere()):
            return elsewhere
        return super().dispatch(request, *args, **kwargs)

    def elsewhere(self) -> HttpResponse | None:
        """Where to go first: a draft that is gone begins anew, a step waits for those before it."""
        if "draft" not in self.kwargs:
            return None
        if self.draft is None or not Account.objects.filter(pk=self.draft.account).exists():
            messages.warning(self.request, gettext("This draft is not kept any more; begin again."))
            return redirect("cdp_activation_new")
        if self.draft.own and self.own_site is None:
            self.draft.own = ""
            messages.warning(self.request, gettext("The sites file no longer has this site."))
            return self.to(0) if self.step else None
        if self.step == 2 and self.draft.config is None:
            messages.warning(self.request, gettext("Say first where the audiences are sent."))
            return self.to(1)
        return None

    def keep(self) -> None:
        drafts.write(self.request.session, self.kwargs["draft"], self.known)

    def to(self, step: int) -> HttpResponse:
        return redirect(STEPS[step][0], self.kwargs["draft"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = self.draft if "draft" in self.kwargs else None
        reached = -1 if draft is None else 1 if draft.config is None else 2
        steps = [
            {
                "label": label,
                "url": reverse(name, args=[self.kwargs["draft"]]) if number <= reached else "",
                "is_current": number == self.step,
                "is_done": number < self.step,
                "is_open": number <= reached,
            }
            for number, (name, label) in enumerate(STEPS)
        ]
        return super().get_context_data(**kwargs) | {"steps": steps, "draft": draft, "step": self.step}


class General(WizardPage):
    """Step 1. Without a draft it begins one."""

    template_name = "cdp/activations/general.html"
    actions = ("next",)
    unlogged: ClassVar = {"next": KEPT}

    @cached_property
    def account(self) -> Account:
        known = {str(one.pk): one for one in self.accounts()}
        drafted = str(self.draft.account) if "draft" in self.kwargs and self.draft else ""
        asked = self.request.POST.get("account") or self.request.GET.get("account") or drafted
        first = next(iter(known.values()), None)
        of = known.get(str(self.wanted.account_id), first) if self.wanted else first
        found = known.get(asked, of)
        if found is None:
            raise ActivationFault("required", "account", gettext("There is no account yet."))
        return found

    @cached_property
    def wanted(self) -> Audience | None:
        """The audience from whose page somebody comes."""
        asked = self.request.POST.get("audience") or self.request.GET.get("audience")
        rows = Audience.objects.filter(pk=key_of(asked), archived_at=None)
        found: Audience | None = access.visible(rows, self.request.user, SEE_AUDIENCES, CHANGE).first()
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = PersonIdentifier.objects.filter(account=self.account, active=True).order_by("pk")
        return super().get_context_data(**kwargs) | {
            "account": self.account,
            "accounts": self.accounts(),
            "audience": self.wanted,
            "identifiers": [one.name for one in names],
            "own_sites": own.of(self.account),
            "kinds": all_targets(),
            "values": self.values(),
        }

    def values(self) -> dict[str, str]:
        if self.fault is not None:
            return {name: str(value) for name, value in self.request.POST.items()}
        if "draft" in self.kwargs and self.draft is not None:
            kind = f"{OWN}{self.draft.own}" if self.draft.own else self.draft.kind
            return self.draft.model_dump(include={"name", "description", "person_identifier"}) | {
                "kind": kind
            }
        mine = own.of(self.account)
        return {
            "kind": f"{OWN}{mine[0].client_id}" if mine else SITE,
            "name": self.wanted.name[: changes.LONGEST_NAME] if self.wanted else "",
            "person_identifier": USERID if mine else "",
        }

    def do_next(self) -> HttpResponse:
        posted = self.request.POST
        receiver = posted.get("kind", "")
        mine = own.find(self.account, receiver.removeprefix(OWN)) if receiver.startswith(OWN) else None
        kind = SITE if mine else receiver
        target = find(kind)
        if target is None:
            raise ActivationFault("unknown_kind", "kind", gettext("Choose a kind of receiver."))
        name = changes.checked_name(self.account, posted.get("name", ""))
        description = changes.checked_text(
            "description", posted.get("description", ""), longest=changes.LONGEST_DESCRIPTION
        )
        identifier = changes.checked_identifier(self.account, target, posted.get("person_identifier", ""))
        changes.check_one_api(self.account, kind)
        before = (self.draft if "draft" in self.kwargs else None) or Draft(account=self.account.pk, kind=kind)
        draft = before if self.is_same(before, kind, mine) else Draft(account=self.account.pk, kind=kind)
        draft.own = mine.client_id if mine else ""
        draft.name, draft.description, draft.person_identifier = name, description, identifier
        if self.wanted and self.wanted.account_id == self.account.pk and not draft.audiences:
            draft.audiences = [self.wanted.pk]
        if "draft" in self.kwargs:
            drafts.write(self.request.session, self.kwargs["draft"], draft)
            return self.to(1)
        return redirect(STEPS[1][0], drafts.begin(self.request.session, draft))

    def is_same(self, draft: Draft, kind: str, mine: own.OwnSite | None) -> bool:
        """Whether the receiver of the draft is still meant: another one has other settings and secrets."""
        client_id = mine.client_id if mine else ""
        return (draft.account, draft.kind, draft.own) == (self.account.pk, kind, client_id)


class Receiver(WizardPage):
    """Step 2."""

    template_name = "cdp/activations/receiver.html"
    actions = ("test", "next")
    unlogged: ClassVar = {"next": KEPT, "test": KEPT}
    step = 1

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        target = changes.target_of(self.known.kind)
        values = self.known.config or {}
        if self.fault is not None and not self.own_site:
            values = config_of(self.request.POST, self.known.kind)
        return super().get_context_data(**kwargs) | {
            "target": target,
            "makes_secret": bool(target.new_secret()),
            "is_site": target.kind == SITE,
            "own": self.own_site,
            "fields": fields_of(target.kind, values),
            "has_secret": bool(self.known.sealed),
        }

    def take(self) -> None:
        """Judge and keep what was entered. A secret that is wrong is not kept."""
        draft, target = self.known, changes.target_of(self.known.kind)
        if self.own_site:
            draft.config = changes.checked_config(target, self.own_site.config())
            self.keep()
            return
        posted = self.request.POST
        typed = str(posted.get("secret", ""))
        if typed and target.has_secret:
            draft.sealed = changes.checked_secret(target, typed)
            self.keep()  # so that nobody types it again for a fault elsewhere
        with labelled():
            config = changes.checked_config(target, config_of(posted, draft.kind))
        if target.has_secret and not draft.sealed and not target.new_secret():
            changes.checked_secret(target, "")
        draft.config = config
        self.keep()

    def do_test(self) -> HttpResponse:
        self.take()
        draft, target = self.known, changes.target_of(self.known.kind)
        tried = Activation(
            account=self.account,
            name=draft.name,
            kind=draft.kind,
            person_identifier=draft.person_identifier,
            config=draft.config or {},
            secret=changes.checked_secret(target, secret_of(draft, self.own_site) or target.new_secret()),
        )
        verdict = changes.try_connection(tried)
        (messages.success if verdict.ok else messages.error)(self.request, verdict.words)
        return self.to(1)

    def do_next(self) -> HttpResponse:
        self.take()
        return self.to(2)


class Audiences(WizardPage):
    """Step 3, which makes the activation."""

    template_name = "cdp/activations/audiences.html"
    actions = ("create",)
    step = 2

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        posted = self.request.POST
        picked = [key_of(one) for one in posted.getlist("audiences")] if self.fault else self.known.audiences
        return super().get_context_data(**kwargs) | {
            "audiences": usable_audiences(self.account),
            "picked": picked,
            "purposes": PURPOSES,
            "purpose": posted.get("purpose", "") if self.fault else self.known.purpose,
            "may_build": self.is_allowed("audiences.change_audience"),
        }

    def do_create(self) -> HttpResponse:
        draft, posted = self.known, self.request.POST
        mine = self.own_site
        activation, made = changes.create(
            self.account,
            name=draft.name,
            kind=draft.kind,
            person_identifier=draft.person_identifier,
            audiences=chosen(posted, self.account),
            config=mine.config() if mine else draft.config,
            secret=secret_of(draft, mine),
            description=draft.description,
            purpose=posted.get("purpose", ""),
        )
        self.concerned = activation
        drafts.drop(self.request.session, self.kwargs["draft"])
        changes.ask(activation)
        messages.success(self.request, gettext("The activation was created; its audiences are being sent."))
        if made:
            return OneActivation.with_secret(self.request, activation, made)
        return redirect("cdp_activation", activation.pk)


def secret_of(draft: Draft, mine: own.OwnSite | None) -> str:
    """In clear; "" where one is to be made."""
    return mine.secret if mine else secrets.unsealed(draft.sealed)
