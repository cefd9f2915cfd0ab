"""A setting that params.yaml does not name could not be overridden by a job, nor would DVC see it change."""

from dataclasses import asdict
from pathlib import Path

import yaml
from forecaster.model import Settings as ForecasterSettings
from recommender.settings import Settings as RecommenderSettings
from summarizer.settings import Settings as SummarizerSettings

from common.gate import RULES

PARAMS = yaml.safe_load(Path(__file__).parents[1].joinpath("params.yaml").read_text())
# Found by the training itself.
TUNED = {"knn", "ease", "als"}


def names(values):
    return {key: names(value) if isinstance(value, dict) else None for key, value in values.items()}


def test_params_name_every_setting_of_the_recommender():
    settings = asdict(RecommenderSettings())
    assert names(PARAMS["recommender"]) == names({key: settings[key] for key in settings if key not in TUNED})


def test_params_name_every_setting_of_the_forecaster():
    assert names(PARAMS["forecaster"]) == names(asdict(ForecasterSettings()))


def test_params_name_every_setting_of_the_summarizer():
    assert PARAMS["summarizer"] == asdict(SummarizerSettings())


def test_every_model_has_parameters_and_a_gate():
    assert set(PARAMS["models"]) <= set(RULES)
    assert set(RULES) <= set(PARAMS)
