"""`make docs`: the generated tables are up to date and complete."""

from commands import reference
from mesh.config.settings import Settings
from tests import addon_deviations


def test_the_readmes_config_table_is_up_to_date() -> None:
    assert reference.table() in reference.README.read_text(), "run `make docs`"


def test_the_config_page_is_up_to_date() -> None:
    assert reference.CONFIG.read_text().endswith(reference.sections()), "run `make docs`"


def test_the_dashboards_page_is_up_to_date() -> None:
    assert reference.ADDONS.read_text().endswith(reference.panels()), "run `make docs`"


def test_every_deviation_from_istios_samples_is_documented() -> None:
    told = " ".join(reference.ADDONS.read_text().split())
    assert [reason for reason in addon_deviations.reasons() if reason not in told] == []


def test_every_code_of_analysis_is_in_the_docs() -> None:
    assert reference.ANALYSIS.read_text().endswith(reference.findings()), "run `make docs`"


def test_every_risk_of_a_change_is_in_the_docs() -> None:
    assert reference.REPORT.read_text().endswith(reference.risks()), "run `make docs`"


def test_every_policy_is_in_the_docs() -> None:
    assert reference.POLICY.read_text().endswith(reference.rules()), "run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    rows = reference.table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    everything = [*rows, *reference.sections().splitlines()]
    assert [row for row in everything if row.startswith("|") and row.endswith("|  |")] == []


def test_every_type_has_one_section() -> None:
    names = [model.__name__ for model in reference.models()]
    assert len(set(names)) == len(names) > 40
