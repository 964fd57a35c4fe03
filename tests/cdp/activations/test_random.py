"""Whatever happens, in whatever order: in the end ledger, members and receiver say the same."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cdp.activations import changes, deliver, ledger, news, parcels
from cdp.activations.models import Activation, Parcel
from cdp.audiences.models import Audience
from cdp.profiles.models import Account, Profile, ProfileIdentifier
from config.http import breaker
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver

pytestmark = pytest.mark.django_db
FAULTS = [None, None, None, "cut", "cut", "dead", 500, 429, 422, 403]


class World:
    """Two audiences of people whose names come, go and move, and somebody who runs the activation."""

    def __init__(self, account: Account, far: Receiver, *, seed: int) -> None:
        self.random, self.far, self.account = random.Random(seed), far, account
        self.people = [made.person(account, userid=number) for number in range(12)]
        self.audiences = [made.audience(account, name) for name in ("cats", "dogs")]
        self.activation = made.site(*self.audiences, url=far.url)

    def step(self) -> None:
        deeds = [self.calculate, self.calculate, self.move_name, self.lose_person, self.deliver, self.deliver]
        deeds += [self.deliver, self.edit, self.out_and_in]
        self.random.choice(deeds)()

    def calculate(self) -> None:
        of = self.random.choice(self.audiences)
        made.calculate(of, self.random.sample(self.people, self.random.randint(0, len(self.people))))

    def move_name(self) -> None:
        name = self.random.choice(list(ProfileIdentifier.objects.order_by("pk")))
        name.profile = self.random.choice(self.people)
        name.active = self.random.random() < 0.8
        name.save()

    def lose_person(self) -> None:
        gone = self.people.pop(self.random.randrange(len(self.people)))
        Profile.objects.filter(pk=gone.pk).delete()
        self.people.append(made.person(self.account, userid=f"new-{self.random.random()}"))

    def deliver(self) -> None:
        self.far.faults.clear()
        self.far.faults.extend(self.random.choice(FAULTS) for _ in range(6))
        self.let_time_pass()
        deliver.deliver(self.activation.pk)

    def edit(self) -> None:
        changes.edit(self.activation, name=f"Site {self.random.random()}")

    def out_and_in(self) -> None:
        """An audience leaves and may come back before it is gone."""
        of = self.random.choice(self.audiences)
        attached = self.activation.attachments.filter(removed_at=None)
        if attached.filter(audience=of).exists() and attached.count() > 1:
            changes.detach(self.activation, of)
        else:
            changes.attach(self.activation, of)

    def let_time_pass(self) -> None:
        breaker.reset()
        Activation.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now() - timedelta(1))
        if Activation.objects.filter(state="error").exists() and self.random.random() < 0.7:
            changes.resume(self.activation)

    def settle(self) -> None:
        """The receiver works again."""
        self.far.faults.clear()
        for of in self.audiences:
            changes.attach(self.activation, of)
            made.calculate(of, [one.profile for one in of.memberships.select_related("profile")])
        breaker.reset()
        changes.resume(self.activation)
        while deliver.deliver(self.activation.pk):
            pass

    def wanted(self) -> set[tuple[str, str]]:
        names = ProfileIdentifier.objects.filter(kind="userid", active=True)
        found = set()
        for of in Audience.objects.all():
            of_members = names.filter(profile__in=of.memberships.values("profile"))
            found |= {(of.identifier, ledger.Named(one.digest, one.sealed).person) for one in of_members}
        return found

    def received(self) -> set[tuple[str, str]]:
        names = {f"aud_{one.pk}": one.identifier for one in self.audiences}
        return {(names[audience], person) for audience, person in self.far.members}


@pytest.mark.parametrize("seed", range(12))
def test_it_ends_with_the_same_people_everywhere(
    account: Account, far: Receiver, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RANGE", 3)
    monkeypatch.setattr(parcels, "MOST_ACTIONS", 4)
    world = World(account, far, seed=seed)
    for _ in range(30):
        world.step()
    world.settle()
    assert made.ledger(world.activation) == world.wanted() == world.received()
    assert far.most_at_once <= 1
    assert not Parcel.objects.exists()
    assert not deliver.due().exists()
    news.sweep()


def test_it_says_in_the_ledger_what_the_database_says(account: Account, far: Receiver) -> None:
    """The difference by SQL is the difference of two sets, also across ranges."""
    people: list[Any] = [made.person(account, userid=[n, f"{n}b"] if n % 3 else n) for n in range(20)]
    activation = made.site(made.audience(account, "cats", *people), url=far.url)
    attachment = activation.attachments.select_related("audience", "activation").get()
    steps = list(ledger.steps(attachment))
    assert len(steps) == len({one.digest for one in steps}) == 33
    ledger.write(activation, steps[:17], sequence=1)
    assert {one.digest for one in ledger.steps(attachment)} == {one.digest for one in steps[17:]}
    made.calculate(attachment.audience, [])
    left = list(ledger.steps(attachment))
    assert {(one.op, one.digest) for one in left} == {("remove", one.digest) for one in steps[:17]}
    ledger.write(activation, left, sequence=2)
    assert not activation.ledger.exists()
