"""What a scenario answers now, explained, without being counted as a call (engine-protocol.md 6.7)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import orjson
from django.http import QueryDict
from django.utils.translation import gettext

from config import http
from config.customers.directory import CustomerAccount
from personalization.contracts import recommendation_path
from personalization.server import plans
from personalization.server.api.answers import Refusal
from personalization.server.api.document import Shape, document
from personalization.server.api.parameters import asked
from personalization.server.history import ANONYMOUS
from personalization.server.recommend import Answer, Explained, NothingToGoOn, recommend

MAX_USER_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """``status``: of the API. ``message``: why there is no answer. ``levels``: what became of each model."""

    status: int
    message: str = ""
    answer: Answer = field(default_factory=Answer)
    raw: str = ""  # the document of the API
    levels: tuple[tuple[Explained, ...], ...] = ()  # an empty one was not asked


def preview(
    account: CustomerAccount, scenario: str, query: QueryDict, *, user: str = "", pseudonym: str = ""
) -> Previewed:
    """Ask the engine as the API does. ``pseudonym``: of the user, where the raw id is not known."""
    try:
        if len(user.encode()) > MAX_USER_BYTES:
            raise Refusal(400, gettext("The user id must be at most 1024 bytes long."))
        plan = plans.plan_of(account.customer_id, scenario)
        given = asked(
            query,
            plan=plan,
            customer_id=account.customer_id,
            user=user or ANONYMOUS,
            alphanumeric=account.alphanumeric_items,
        )
        given = replace(given, request=replace(given.request, pseudonym=pseudonym))
        answer = recommend(given.request, plan, explain=True)
    except plans.UnknownScenario as fault:
        return Previewed(status=404, message=str(fault))
    except Refusal as refusal:
        return Previewed(status=refusal.status, message=refusal.sentence)
    except NothingToGoOn:
        return Previewed(
            status=409,
            message=gettext("Every model lacks its input: name context items, or a user with a history."),
        )
    shape = Shape(given, alphanumeric=account.alphanumeric_items)
    levels = [
        tuple(one for one in answer.explained if one.level == number)
        for number in range(len(plan.strategy.levels))
    ]
    raw = orjson.dumps(document(answer, shape), option=orjson.OPT_INDENT_2).decode()
    return Previewed(status=200, answer=answer, raw=raw, levels=tuple(levels))


def address(account: CustomerAccount, scenario: str, query: QueryDict, *, user: str) -> str:
    """Of the same request at the API. It holds no credentials."""
    path = recommendation_path(account.customer_id, user or ANONYMOUS, scenario)
    asked_for = query.urlencode()
    return f"{http.own_base()}{path}" + (f"?{asked_for}" if asked_for else "")
