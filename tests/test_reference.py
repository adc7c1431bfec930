"""The config tables."""

from commands import reference
from components.settings import Settings


def test_the_readme_lists_every_setting_as_it_is() -> None:
    assert reference.table() in reference.README.read_text(), "run `make docs`"


def test_the_settings_in_full_are_as_they_are() -> None:
    assert reference.CONFIG.read_text().endswith(reference.sections()), "run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    rows = reference.table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    everything = [*rows, *reference.sections().splitlines()]
    assert [row for row in everything if row.startswith("|") and row.endswith("|  |")] == []


def test_every_type_has_one_section() -> None:
    names = [model.__name__ for model in reference.models()]
    assert len(set(names)) == len(names) > 40
