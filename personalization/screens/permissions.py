"""Who may do what in the back office, where not every action exists, and for which customers."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from wagtail.permission_policies import ModelPermissionPolicy

from config.customers import reach

User = AbstractBaseUser | AnonymousUser


class Only(ModelPermissionPolicy):  # type: ignore[misc]
    """The named actions by Django's permissions; all others nobody may do, superusers included."""

    def __init__(self, model: type[Model], *actions: str) -> None:
        super().__init__(model)
        self.actions = actions

    def user_has_permission(self, user: User, action: str) -> bool:
        return action in self.actions and bool(super().user_has_permission(user, action))

    def user_has_any_permission(self, user: User, actions: Any) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)

    def names(self, actions: Any) -> list[str]:
        """The permissions for those of the actions that exist, as Django calls them."""
        meta = self.model._meta
        known = [one for one in actions if one in self.actions]
        return [f"{meta.app_label}.{get_permission_codename(one, meta)}" for one in known]

    def offered(self) -> QuerySet[Permission]:
        """The permissions that make a difference, to tick in the form of a group."""
        return Permission.objects.filter(
            content_type=ContentType.objects.get_for_model(self.model),
            codename__in=[f"{action}_{self.model._meta.model_name}" for action in self.actions],
        )


class PerSite(Only):
    """The same for rows of customers: who has a permission for a site has it for the rows of its customers.

    ``all_sites``: actions that are about no customer yet, which only the permission for everything allows.
    """

    def __init__(self, model: type[Model], *actions: str, all_sites: tuple[str, ...] = ()) -> None:
        super().__init__(model, *actions)
        self.all_sites = all_sites
        per_site = [one for one in actions if one not in all_sites]
        reach.register(*self.names(per_site))

    def user_has_permission(self, user: User, action: str) -> bool:
        """For one customer at least."""
        if action in self.all_sites:
            return super().user_has_permission(user, action)
        return reach.anywhere(user, *self.names([action]))

    def user_has_permission_for_instance(self, user: User, action: str, instance: Any) -> bool:
        return self.user_has_permission(user, action) and self.reaches(user, [action], instance)

    def user_has_any_permission_for_instance(self, user: User, actions: Any, instance: Any) -> bool:
        return any(self.user_has_permission_for_instance(user, one, instance) for one in actions)

    def reaches(self, user: User, actions: Any, instance: Any) -> bool:
        return any(reach.may(user, name, instance.customer_id) for name in self.names(actions))

    def visible(self, rows: QuerySet[Any], user: User) -> QuerySet[Any]:
        """Those of the rows for which a user may do anything."""
        where = reach.sites(user, *self.names(self.actions))
        return rows if where is None else self.of_sites(rows, where)

    def of_sites(self, rows: QuerySet[Any], where: frozenset[int]) -> QuerySet[Any]:
        return rows.filter(customer_id__in=reach.customers_of(where))

    def instances_user_has_any_permission_for(self, user: User, actions: Any) -> QuerySet[Any]:
        where = reach.sites(user, *self.names(actions))
        rows = self.model._default_manager.all()
        return rows if where is None else self.of_sites(rows, where)
