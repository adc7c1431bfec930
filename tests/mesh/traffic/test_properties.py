"""Any value of `mesh:traffic` results in objects, or in messages with the key; never in another error."""

import json
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pydantic import BaseModel

from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.traffic.config import Traffic
from tests.mesh.config.test_properties import JUNK, UNHURRIED
from tests.releases import RELEASE

pytestmark = pytest.mark.slow

WORDS = st.sampled_from(["v1", "v2", "reviews", "istio-egressgateway", "a.example.com", "3s", "*", "/x*", "HTTP", ""])
NUMBERS = st.sampled_from([0, 1, 50, 80, 100, 443, 500, -1, 1.5])


def fields(model: type[BaseModel], depth: int) -> st.SearchStrategy[Any]:
    """A map with some of the model's fields: their values are valid, invalid, or maps for nested models."""

    def value(annotation: Any) -> st.SearchStrategy[Any]:
        models = [part for part in parts(annotation) if depth > 0]
        inner = [fields(part, depth - 1) for part in models]
        shaped = [s for one in inner for s in (one, st.lists(one, max_size=2), st.dictionaries(WORDS, one, max_size=2))]
        weights = st.dictionaries(WORDS, NUMBERS, max_size=2)
        return st.one_of(*shaped, WORDS, NUMBERS, st.booleans(), st.lists(WORDS, max_size=2), weights, JUNK)

    optional = {name: value(field.annotation) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries({}, optional=optional)


def parts(annotation: Any) -> list[type[BaseModel]]:
    """The models in a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in parts(argument)]


@limits(UNHURRIED, max_examples=400)
@given(fields(Traffic, 3))
@example({"services": {"reviews": {"versions": [[]]}}})
def test_any_traffic_results_in_objects_or_in_messages_with_the_key(traffic: dict[str, Any]) -> None:
    config = {"mesh:profile": "demo", "mesh:injectedNamespaces": '{"default": "existing"}'}
    problems = ""
    try:
        chosen = loading.load({**config, "mesh:traffic": json.dumps(traffic)})
        assert all(item.manifest(RELEASE.api) for item in chosen.traffic)
    except SettingsError as error:
        problems = str(error)
    assert [line for line in filter(None, problems.split("\n")) if not line.startswith("mesh:traffic")] == []
