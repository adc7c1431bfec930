"""`make docs`: the generated tables are up to date and complete."""

from commands import reference, values_page
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


def test_every_change_of_an_upgrade_is_in_the_docs() -> None:
    assert reference.UPGRADE.read_text().endswith(reference.differences()), "run `make docs`"


def test_the_page_of_differences_is_what_parity_calls_wanted() -> None:
    page = reference.DIFFERENCES.read_text()
    assert all(f"\n{table}" in page for table in reference.intended_differences()), "run `make docs`"


def test_the_page_of_istios_settings_is_up_to_date() -> None:
    assert reference.VALUES.read_text().endswith(values_page.tables()), "run `make docs`"


def test_every_setting_has_a_meaning() -> None:
    assert len(reference.keys().splitlines()[2:]) == len(Settings.model_fields)
    assert [row for row in reference.sections().splitlines() if row.startswith("|") and row.endswith("|  |")] == []


def test_every_type_has_one_section() -> None:
    names = [model.__name__ for model in reference.models()]
    assert len(set(names)) == len(names) > 40


def _default(model: str, field: str) -> str:
    section = reference.CONFIG.read_text().split(f"## {model}\n")[1].split("\n## ")[0]
    (row,) = [row for row in section.splitlines() if row.startswith(f"| `{field}` |")]
    return row.split(" | ")[2]


def test_defaults_of_one_release_stand_beside_those_of_the_types() -> None:
    assert _default("Proxy", "readinessPeriodSeconds") == "`2`; 1.30: `15`"
    assert _default("Proxy", "tracer") == "`zipkin`; 1.30: `none`"
    assert _default("Cni", "excludeNamespaces") == '`["istio-system"]`; 1.30: `["kube-system"]`'
    assert _default("Cni", "tolerations").startswith('`[{"operator": "Exists"')
    assert _default("Gateway", "env") == '1.10: `{"ISTIO_META_ROUTER_MODE": "standard"}`'
    assert _default("Proxy", "logLevel") == "`warning`"


def test_defaults_of_a_type_in_several_places_stand_in_the_tables_of_these_places() -> None:
    assert _default("Cni", "resources") == '1.30: `{"requests": {"cpu": "100m", "memory": "100Mi"}}`'
    assert _default("Resources", "requests") == ""


def test_defaults_of_a_type_in_one_place_stand_in_its_own_table() -> None:
    assert _default("Cni", "repair") == ""
    assert _default("Repair", "deletePods") == "`true`; 1.30: `false`"
