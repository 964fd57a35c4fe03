"""A report of an evaluation, without the work that makes one."""

from __future__ import annotations

from datetime import UTC, datetime

from personalization.server.evaluation.models import Evaluation

LEARNT = {
    "recall": 0.4,
    "ndcg": 0.31234,
    "mrr": 0.25,
    "hit_rate": 0.8,
    "coverage": 0.9,
    "novelty": 4.5,
    "popular_share": 0.3,
}


def stored(customer: str, *, recall: float = 0.4, popular: float = 0.1) -> Evaluation:
    """A report as the command keeps it."""
    report = {
        "task": "topn",
        "data": {"users": 60, "items": 30, "train": 1237, "test": 123},
        "settings": {"candidates": 100},
        "figures": LEARNT | {"recall": recall},
        "baselines": {"popular": LEARNT | {"recall": popular}, "random": LEARNT | {"recall": 0.05}},
        "tuning_cpu_seconds": 1.5,
        "training_cpu_seconds": 0.5,
        "lists_per_second": 100,
        "peak_megabytes": 300,
    }
    return Evaluation.objects.create(
        customer_id=customer,
        signal="click",
        days=30,
        later=0.2,
        places=20,
        report=report,
        begins_at=datetime(2026, 1, 1, tzinfo=UTC),
        cut_at=datetime(2026, 1, 20, tzinfo=UTC),
        ends_at=datetime(2026, 1, 25, tzinfo=UTC),
    )
