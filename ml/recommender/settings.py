"""Settings of the ranker: params.yaml `recommender:`, kept in the bundle for serving and evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from recommender.als import AlsParams
from recommender.ease import EaseParams
from recommender.item_knn import KnnParams


@dataclass(frozen=True)
class CandidateCounts:
    """How many items each source proposes; the union is ranked."""

    als: int = 100
    ease: int = 100
    knn: int = 60
    popular: int = 30
    content: int = 30


@dataclass(frozen=True)
class LightGbmParams:
    num_leaves: int = 7
    learning_rate: float = 0.1
    min_data_in_leaf: int = 50
    feature_fraction: float = 0.7
    bagging_fraction: float = 0.8
    lambda_l2: float = 5.0
    most_trees: int = 250
    patience: int = 40
    """trees without a better mean nDCG@10 of held-out users before cross-validation stops"""


@dataclass(frozen=True)
class Settings:
    history_limit: int = 200
    """newest items of a user that are looked at"""
    recent_items: int = 5
    """newest items that count as the last ones"""
    half_life_days: float = 14.0
    """after which a past interaction counts half"""
    ease_most_items: int = 10_000
    """above, EASE is not used as a source: its matrix is dense while it is made"""
    ease_neighbours: int = 300
    """entries kept per item"""
    least_users: int = 20
    """with fewer users there is nothing to learn from"""
    least_labels: int = 100
    """likewise for new items in the validation window"""
    training_users: int = 6_000
    """users sampled for the ranker"""
    training_scores: int = 100_000_000
    """users times items that are scored for it: fewer users where the catalogue is large"""
    candidates: CandidateCounts = field(default_factory=CandidateCounts)
    lightgbm: LightGbmParams = field(default_factory=LightGbmParams)
    knn: KnnParams = field(default_factory=KnnParams)
    """tuned on the validation split, not a parameter"""
    ease: EaseParams | None = None
    """likewise; None: not used"""
    als: AlsParams = field(default_factory=AlsParams)
    """likewise"""


_NESTED = {
    "candidates": CandidateCounts,
    "lightgbm": LightGbmParams,
    "knn": KnnParams,
    "ease": EaseParams,
    "als": AlsParams,
}


def read_settings(values: Mapping[str, Any] | None) -> Settings:
    """Settings from params.yaml or a bundle; with defaults. @raises ValueError on unknown names."""
    given = dict(values or {})
    for name in _NESTED.keys() & given.keys():
        if given[name] is not None:
            given[name] = _build(_NESTED[name], given[name], f"recommender.{name}")
    return _build(Settings, given, "recommender")


def _build(kind: type, values: Mapping[str, Any], where: str) -> Any:
    unknown = sorted(set(values) - {item.name for item in fields(kind)})
    if unknown:
        raise ValueError(f"unknown parameters in {where}: {', '.join(unknown)}")
    return kind(**values)
