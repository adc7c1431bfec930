"""Reviews as Markdown and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mesh.review import data, markdown
from mesh.review.changes import EngineFacts
from mesh.review.review import Review
from tests.faults import policy
from tests.mesh.review.test_review import KEY, SECRET
from tests.meshes import Manifest, deployment, manifest_of, routes, service, to, valid_mesh
from tests.review import changed, review

pytestmark = pytest.mark.slow


def risky() -> Review:
    """A review with risks, changes of requests, and changes of the map."""
    canary = routes("cart", to("cart", "v2"))
    return changed(manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "PERMISSIVE"}}), canary)


def text(found: Review) -> str:
    return markdown.write(found)


def test_the_head_names_the_risks_the_number_of_changes_and_the_baseline() -> None:
    assert text(risky()).splitlines()[:3] == [
        "<!-- mesh report: shop -->",
        "## Stack `shop`: risks: 1 high",
        "2 to update, 13 unchanged. Compared with main at 0123456.",
    ]


def test_risks_come_before_requests_and_objects() -> None:
    shown = text(risky())
    parts = ["### Risks", "### What happens to requests", "```mermaid", "<summary>Changes</summary>"]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)


def test_a_change_without_risks_has_no_empty_sections() -> None:
    shown = text(review([service("a")], [service("a", sessionAffinity="ClientIP")]))
    assert "no risks found" in shown
    assert [line for line in shown.splitlines() if line.startswith("###")] == []
    assert "mermaid" not in shown


def test_a_review_without_changes_has_two_lines() -> None:
    assert text(review(valid_mesh(), valid_mesh())).splitlines()[1:] == [
        "## Stack `shop`: no risks found",
        "No changes, 15 unchanged. Compared with main at 0123456.",
    ]


def test_objects_with_the_same_risk_share_a_line() -> None:
    names = [f"app-{number}" for number in range(5)]
    old, new = ([deployment(name, {"app": name}, hostNetwork=host) for name in names] for host in (False, True))
    (line,) = [line for line in text(review(old, new)).splitlines() if "restarts pods" in line]
    objects = ", ".join(f"`Deployment shop/{name}`" for name in names[:3])
    assert line == f"| medium | **restarts pods** | {objects} and 2 more | each 1 pod: changed hostNetwork |"
    assert "restarts 5 pods" in text(review(old, new))


def test_special_characters_of_names_are_escaped_in_markdown() -> None:
    odd = routes("cart", {"match": [{"uri": {"exact": "/<b>|*_`\\"}}], **to("cart", "v2")}, to("cart", "v1"))
    shown = text(changed(odd))
    (line,) = [line for line in shown.splitlines() if line.startswith("- cart/&lt;b>")]
    assert line.startswith("- cart/&lt;b>|\\*\\_\\`\\\\ from front")


def test_long_values_and_long_lists_are_cut() -> None:
    old, new = (
        [{**manifest_of("ConfigMap", "a"), "data": {f"field{i}": sign * 500 for i in range(20)}}] for sign in "xy"
    )
    shown = text(review(old, new))
    assert "… and 12 more fields" in shown
    assert max(map(len, shown.splitlines())) < 250


def test_a_report_on_thousands_of_objects_fits_into_a_comment() -> None:
    many = [service(f"service-{number}") for number in range(3000)]
    assert len(text(review(valid_mesh(), [*valid_mesh(), *many]))) < 65_000
    assert len(text(review([*valid_mesh(), *many], valid_mesh()))) < 65_000


def test_values_of_secrets_are_in_neither_the_markdown_nor_the_json() -> None:
    other: Manifest = {**SECRET, "stringData": {"password": "hunter3"}}
    found = review([SECRET], [other], EngineFacts(secrets={KEY: ["stringData.password"]}))
    whole = text(found) + json.dumps(data.plain(found))
    assert "secret changed" in whole
    assert "hunter" not in whole


def test_the_map_marks_what_is_added_and_removed() -> None:
    shown = text(risky())
    assert "linkStyle" in shown
    assert "+ allow more" in text(changed(policy("more", {"namespaces": ["shop"]}, app="front")))


def test_the_json_has_the_same_content() -> None:
    found = data.plain(risky())
    assert found["source"] == {"kind": "base branch", "text": "Compared with main at 0123456.", "commit": "0123456789"}
    assert found["counts"] == {"update": 2, "unchanged": 13}
    (risk,) = found["risks"]
    assert (risk["weight"], risk["risk"], risk["object"]["name"]) == ("high", "mTLS weakened", "default")
    (field,) = next(one for one in found["changes"] if one["object"]["kind"] == "PeerAuthentication")["fields"]
    assert field == {"path": "spec.mtls.mode", "old": "STRICT", "new": "PERMISSIVE"}
    assert {
        "requests": "cart/",
        "way": "from",
        "sources": ["front"],
        "before": "cart v1",
        "after": "cart v2",
        "samples": 1,
    } in found["requests"]


def test_drift_comes_before_the_risks() -> None:
    found = risky()
    shown = text(replace(found, drift=found.subject.changes[:1]))
    assert shown.index("### Drift") < shown.index("### Risks")
