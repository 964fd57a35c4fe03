"""Views of Wagtail's view sets, which know rows by their key alone, narrowed to the customers of a user."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from wagtail.permissions import policy_registry

from config.customers import reach
from personalization.screens.permissions import Only, PerSite
from tracking.screens.denied import denied

View = Callable[..., HttpResponse]


class Guarded:
    """Mixed into a view set. A row of another customer is not there (404); a refusal says what is missing."""

    model: type[Model]

    def construct_view(self, view_class: Any, **kwargs: Any) -> View:
        view: View = super().construct_view(view_class, **kwargs)  # type: ignore[misc]
        return guarded(view, self.model)


def guarded(view: View, model: type[Model]) -> View:
    actions = needed(view)

    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        policy = policy_registry.get_by_type(model)
        try:
            if isinstance(policy, PerSite) and "pk" in kwargs:
                check(policy, request, actions, kwargs["pk"])
            return view(request, *args, **kwargs)
        except PermissionDenied:
            named = policy.names(actions) if isinstance(policy, Only) else []
            return denied(request, *named[-1:])

    return guard


def needed(view: Any) -> list[str]:
    """The actions of which a view wants one; the weakest last."""
    given = view.view_initkwargs
    kind = view.view_class
    one = given.get("permission_required", getattr(kind, "permission_required", None))
    several = given.get("any_permission_required", getattr(kind, "any_permission_required", None))
    return [one] if one else list(several or [])


def check(policy: PerSite, request: HttpRequest, actions: list[str], pk: Any) -> None:
    """Raises for a row that is not of the user's customers, or on which none of the actions is theirs."""
    user: Any = request.user
    if not policy.user_has_any_permission(user, actions):
        raise PermissionDenied
    if reach.sites(user, *policy.names(actions)) is None:
        return
    try:
        row = policy.visible(policy.model._default_manager.all(), user).filter(pk=unquote(str(pk))).first()
    except (ValueError, ValidationError):
        row = None
    if row is None:
        raise Http404
    if not policy.user_has_any_permission_for_instance(user, actions, row):
        raise PermissionDenied


class Narrowed:
    """Mixed into the view of a list: its rows are those of the user's customers."""

    def get_base_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_base_queryset()  # type: ignore[misc]
        me: Any = self
        policy = me.permission_policy
        return policy.visible(rows, me.request.user) if isinstance(policy, PerSite) else rows
