"""Who may do what in the back office, where not every action exists."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from wagtail.permission_policies import ModelPermissionPolicy

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

    def offered(self) -> QuerySet[Permission]:
        """The permissions that make a difference, to tick in the form of a group."""
        return Permission.objects.filter(
            content_type=ContentType.objects.get_for_model(self.model),
            codename__in=[f"{action}_{self.model._meta.model_name}" for action in self.actions],
        )
