"""What rows of a chunk become: facts about people, things they did, rows of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from cdp.dataflows.models import CatalogRow, Dataflow, MappedSchema, Run, Schema
from cdp.dataflows.plan import Plan, RowFault, Target
from cdp.dataflows.schemas import INTERACTION_FIELDS
from cdp.profiles import contributions, interactions, people
from cdp.profiles.contributions import BadGeneration, Said
from cdp.profiles.identifiers import BadIdentifier, normal
from cdp.profiles.interactions import BadInteraction, Did
from cdp.profiles.models import UNITS, Contribution, PersonIdentifier, ProfileIdentifier, Source
from cdp.profiles.people import Named

Placed = list[tuple[int, dict[str, Any]]]
KNOWN = {name for name, _, _ in INTERACTION_FIELDS}
BATCH = 1_000
LONGEST_KEY = CatalogRow._meta.get_field("key").max_length or 0
CALLED = {"event": "event_type", "ts": "timestamp"}  # as schemas call it, where rows do not
SUPPRESSED = "suppressed"  # the person was erased


@dataclass(kw_only=True)
class Counts:
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def add(self, other: Any) -> None:
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged


class Targets:
    """The schemas of a run. ``at``: when the chunk was received, in microseconds.

    ``refused``: place of a row -> why it was not stored after all. ``rounded``: amounts that were stored
    with fewer decimals than they came with.
    """

    def __init__(self, run: Run, plan: Plan, *, at: int) -> None:
        self.run = run
        self.at = at
        self.account = run.dataflow.account
        self.targets = {one.schema.pk: one for one in plan.targets}
        self.rows: dict[int, Placed] = {pk: [] for pk in self.targets}
        self.refused: dict[int, RowFault] = {}
        self.rounded: list[tuple[int, RowFault]] = []
        self.counts = Counts()
        # Deactivated ones too: they name nobody, but one that was erased still bars the row.
        names = PersonIdentifier.objects.filter(account=self.account)
        self.names = set(names.values_list("name", flat=True))

    def add(self, place: int, values: Mapping[int, dict[str, Any]]) -> None:
        for schema, row in values.items():
            self.rows[schema].append((place, row))

    def store(self) -> Counts:
        """Store everything that was added, in the caller's transaction."""
        for pk, target in self.targets.items():
            kind = target.schema.kind
            if kind == Schema.Kind.CATALOG:
                self.store_catalog(target, self.rows[pk])
            elif kind == Schema.Kind.PERSONAL:
                self.store_people(target, self.rows[pk])
            else:
                self.store_interactions(target, self.rows[pk])
        return self.counts

    def identified(self, target: Target, rows: Placed) -> list[ProfileIdentifier | None]:
        """The identity of each row; other fields that are called like an identifier name the person too."""
        named = [self.named(target, row) for _, row in rows]
        found = people.identify(
            self.account,
            named,
            reason=source_name(target, self.run),
            listed=target.mapping.write_mode != "overwrite",  # such a set may never be in force
        )
        for (place, _), identity in zip(rows, found, strict=True):
            if identity is None:
                self.refused[place] = RowFault(SUPPRESSED, target.schema.identifier)
        return found

    def named(self, target: Target, row: Mapping[str, Any]) -> list[Named]:
        own = target.schema.identifier
        names = [Named(own, row[own])]
        for kind in sorted(self.names & set(row) - {own}):
            try:
                names.append(Named(kind, normal(kind, row[kind])))
            except BadIdentifier:  # nothing, or no name; it stays an attribute
                continue
        return names

    def store_people(self, target: Target, rows: Placed) -> None:
        said: dict[int, Said] = {}
        is_overwrite = target.mapping.write_mode == "overwrite"
        for (_, row), identity in zip(rows, self.identified(target, rows), strict=True):
            if identity is None:
                continue
            data = {name: value for name, value in row.items() if name != target.schema.identifier}
            earlier = said.get(identity.pk)
            if earlier is not None and not is_overwrite:
                data = earlier.data | data
            said[identity.pk] = Said(identity, data)
        source = contributions.source(self.account, source_name(target, self.run))
        if is_overwrite:
            generation = self.generation(source, target)
            self.counts.add(contributions.stage(source, generation, list(said.values())))
        else:
            self.counts.add(contributions.append(source, list(said.values()), at=self.at))

    def generation(self, source: Source, target: Target) -> int:
        key = str(target.schema.pk)
        if key not in self.run.generations:
            self.run.generations[key] = contributions.begin(source)
        return int(self.run.generations[key])

    def store_interactions(self, target: Target, rows: Placed) -> None:
        done = []
        for (place, row), identity in zip(rows, self.identified(target, rows), strict=True):
            if identity is None:
                continue
            try:
                done.append(interactions.checked(did(identity, row, target)))
                self.rounded += [(place, RowFault("amount_rounded", name)) for name in finer(done[-1])]
            except (BadInteraction, OverflowError) as fault:
                name = str(fault).split(" ")[0][:64]
                self.refused[place] = RowFault("bad_interaction", CALLED.get(name, name))
        new = interactions.record(self.account, event_source(self.run.dataflow_id), done)
        self.counts.inserted += new
        self.counts.unchanged += len(done) - new

    def store_catalog(self, target: Target, rows: Placed) -> None:
        mapped = self.mapped(target)
        generation = mapped.generation
        is_overwrite = target.mapping.write_mode == "overwrite"
        if is_overwrite:
            generation = self.catalog_generation(mapped)
        data: dict[str, dict[str, Any]] = {}
        for place, row in rows:
            key = str(row[target.schema.key])
            if len(key) > LONGEST_KEY:  # cut, two could become one
                self.refused[place] = RowFault("key_too_long", target.mapping.fields[target.schema.key])
                continue
            data[key] = row if is_overwrite else data.get(key, {}) | row
        self.upsert(mapped, generation, data, merge=not is_overwrite)

    def upsert(
        self, mapped: MappedSchema, generation: int, data: Mapping[str, dict[str, Any]], *, merge: bool
    ) -> None:
        rows = CatalogRow.objects.filter(mapped=mapped, generation=generation, key__in=list(data))
        known = {one.key: one for one in rows}
        changed = []
        for key, one in known.items():
            merged = cleared(one.data | data[key] if merge else data[key])
            if merged == one.data:
                self.counts.unchanged += 1
            else:
                one.data = merged
                changed.append(one)
        CatalogRow.objects.bulk_update(changed, ["data"], batch_size=BATCH)
        new = [
            CatalogRow(mapped=mapped, generation=generation, key=key, data=cleared(row))
            for key, row in data.items()
            if key not in known
        ]
        CatalogRow.objects.bulk_create(new, batch_size=BATCH)
        self.counts.inserted += len(new)
        self.counts.updated += len(changed)

    def mapped(self, target: Target) -> MappedSchema:
        return MappedSchema.objects.get_or_create(dataflow=self.run.dataflow, schema=target.schema)[0]

    def catalog_generation(self, mapped: MappedSchema) -> int:
        """The number under which this run writes. Raises :class:`BadGeneration` where a run that began
        later is in force: its rows are newer."""
        key = str(mapped.schema_id)
        if key not in self.run.generations:
            mapped.begun = max(mapped.begun, mapped.generation) + 1
            mapped.save(update_fields=["begun"])
            self.run.generations[key] = mapped.begun
        own = int(self.run.generations[key])
        if own <= mapped.generation:
            raise BadGeneration(f"Generation {own} of a catalogue is over: {mapped.generation} is in force.")
        return own

    def switch(self) -> int:
        """Put the generations of a whole run into force; how many rows that removed."""
        removed = 0
        for target in self.targets.values():
            if target.mapping.write_mode != "overwrite":
                continue
            if target.schema.kind == Schema.Kind.CATALOG:
                removed += self.switch_catalog(target)
            else:
                source = contributions.source(self.account, source_name(target, self.run))
                removed += contributions.switch(source, self.generation(source, target))
        return removed

    def switch_catalog(self, target: Target) -> int:
        mapped = self.mapped(target)
        new = self.catalog_generation(mapped)
        kept = CatalogRow.objects.filter(mapped=mapped, generation=new).values("key")
        old = CatalogRow.objects.filter(mapped=mapped, generation=mapped.generation)
        removed = old.exclude(key__in=kept).count()
        MappedSchema.objects.filter(pk=mapped.pk).update(generation=new)
        CatalogRow.objects.filter(mapped=mapped, generation__lt=new).delete()  # newer ones are being written
        return removed

    @staticmethod
    def discard(run: Run) -> None:
        """Remove what a run wrote for an overwrite that will not be."""
        for key, generation in run.generations.items():
            name = name_of(run.dataflow_id, int(key))
            source = Source.objects.filter(account=run.dataflow.account, name=name).first()
            if source is not None:
                contributions.discard(source, generation)
            staged = CatalogRow.objects.filter(
                mapped__dataflow=run.dataflow, mapped__schema=int(key), generation=generation
            )
            staged.exclude(generation=F("mapped__generation")).delete()


def source_name(target: Target, run: Run) -> str:
    return name_of(run.dataflow_id, target.schema.pk)


def name_of(dataflow: int, schema: int) -> str:
    return f"dataflow:{dataflow}:schema:{schema}"


def event_source(dataflow: int) -> str:
    return f"dataflow:{dataflow}"


def sources_of(dataflow: Dataflow) -> list[Source]:
    """Of people, under whatever schema the dataflow has ever filled."""
    sources = Source.objects.filter(account=dataflow.account)
    return list(sources.filter(name__startswith=f"dataflow:{dataflow.pk}:schema:").order_by("pk"))


def stored(dataflow: Dataflow, schema: Schema) -> int:
    """How many people, or rows of a catalogue, a dataflow has stored under a schema, as of now."""
    if schema.kind == Schema.Kind.CATALOG:
        rows = CatalogRow.objects.filter(mapped__dataflow=dataflow, mapped__schema=schema)
        return rows.filter(generation=F("mapped__generation")).count()
    said = Contribution.objects.filter(
        source__account=dataflow.account, source__name=name_of(dataflow.pk, schema.pk)
    )
    return said.filter(generation=F("source__generation")).count()


def cleared(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def did(identity: ProfileIdentifier, row: Mapping[str, Any], target: Target) -> Did:
    """What a row of an Interaction schema says that a person did. Nothing is cut here: of two ids that
    begin alike it would make one."""
    props = {
        name: value
        for name, value in row.items()
        if name not in KNOWN and name != target.schema.identifier and value is not None
    }
    return Did(
        identity=identity,
        event=str(row["event_type"]).strip().lower(),
        ts=microseconds(str(row["timestamp"])),
        event_id=text(row, "event_id") or None,
        session=text(row, "session"),
        item_type=text(row, "item_type"),
        product_id=text(row, "product_id"),
        product_name=text(row, "product_name"),
        category_path=category_ids(text(row, "category")),
        brand=text(row, "brand"),
        order_id=text(row, "order_id"),
        quantity=row.get("quantity"),
        price=amount(row.get("price")),
        subtotal=amount(row.get("subtotal")),
        currency=text(row, "currency"),
        percentage=row.get("percentage"),
        rating=row.get("rating"),
        props=props,
    )


def text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def amount(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))


def finer(one: Did) -> list[str]:
    """Amounts with more decimals than a row of what people did can hold."""
    amounts = {"price": one.price, "subtotal": one.subtotal}
    return [name for name, given in amounts.items() if given is not None and given * UNITS % 1]


def microseconds(when: str) -> int:
    return round(datetime.fromisoformat(when).timestamp() * 1_000_000)


def category_ids(path: str) -> tuple[str, ...]:
    """`c1#Cats;c11#Food` -> the ids from the top (reference `cdp.md` 6.1)."""
    return tuple(part.split("#")[0].strip() for part in path.split(";") if part.split("#")[0].strip())
