"""Property tests: every config and every manifest is either accepted, or refused with a path; nothing else happens."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mesh import api
from mesh.api import ApiError, Kind
from mesh.config import loading
from mesh.config.settings import Settings, SettingsError

pytestmark = pytest.mark.slow

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=6,
)
UNHURRIED = limits(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@st.composite
def configs(draw: st.DrawFn) -> dict[str, str]:
    """A stack's config with some keys right, some misspelt, and any values."""
    known = st.sampled_from(sorted(Settings.model_fields))
    keys = draw(st.lists(known | known.map(lambda key: key[:-1]) | st.text(max_size=8), max_size=4, unique=True))
    text = st.sampled_from(["demo", "NodePort", "true", '{"http2": 31102}', '{"default": "existing"}', "{", "[1"])
    values = text | JUNK.map(json.dumps) | st.text(max_size=12)
    return {f"mesh:{key}": draw(values) for key in keys}


@limits(UNHURRIED, max_examples=1000)
@given(configs())
def test_every_config_is_accepted_or_refused_with_a_path(config: dict[str, str]) -> None:
    problems = ""
    try:
        loading.load(config)
    except SettingsError as error:
        problems = str(error)
    assert [line for line in filter(None, problems.split("\n")) if not line.startswith("mesh")] == []


@pytest.mark.parametrize("kind", api.kinds(), ids=lambda kind: kind.__name__)
def test_every_object_is_built_or_refused_with_a_path(kind: type[Kind]) -> None:
    fields = sorted(kind.model_fields)

    @limits(UNHURRIED, max_examples=100)
    @given(st.dictionaries(st.sampled_from(fields) | st.text(max_size=6), JUNK, max_size=3))
    def check(given_fields: dict[str, Any]) -> None:
        problems: list[str] = []
        try:
            kind(**given_fields)
        except ApiError as error:
            problems = error.problems
        assert [line for line in problems if not line.startswith(kind.__name__)] == []

    check()
