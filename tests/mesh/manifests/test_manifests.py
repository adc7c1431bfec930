"""Objects in files: their places, and what is refused of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.manifests import ManifestError, files, parse, read

CART = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  template:
    spec:
      containers:
        - name: cart
          image: cart
---
apiVersion: v1
kind: Service
metadata: {name: cart}
"""


def refused(text: str) -> list[str]:
    with pytest.raises(ManifestError) as error:
        parse(text, "cart.yaml")
    return str(error.value).splitlines()


def test_each_document_is_an_object_and_empty_ones_are_none() -> None:
    assert [one.kind.name for one in parse(f"---\n# nothing\n---\n{CART}---\n", "cart.yaml")] == [
        "Deployment",
        "Service",
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 1),
        ("metadata.name", 4),
        ("spec.template.spec.containers[0].image", 10),
        ("spec.template.spec.containers[0].ports[0]", 9),
        ("spec.template.spec.containers[7]", 8),
        ('metadata.labels["a b"]', 3),
    ],
)
def test_a_place_is_the_line_of_the_field_or_of_what_would_hold_it(path: str, line: int) -> None:
    assert parse(CART, "cart.yaml")[0].place(path) == f"cart.yaml:{line}"


def test_a_list_is_opened_with_the_places_of_its_items() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n"
    (found,) = parse(text, "-")
    assert (found.body["metadata"]["name"], found.place("metadata.name")) == ("a", "-:4")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "cart.yaml:1: not YAML: "),
        ("kind: A\nmetadata: {name: a}", "cart.yaml:1: an object without apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "cart.yaml:1: an object without kind"),
        ("apiVersion: v1\nkind: A", "cart.yaml:1: an object without metadata"),
        ("apiVersion: v1\nkind: A\nmetadata: {generateName: a}", "objects of a stack have fixed names"),
        ("- apiVersion: v1", "cart.yaml:1: a list instead of an object: separate objects by ---, or use kind List"),
        ("text", 'cart.yaml:1: the text "text" instead of an object'),
        ("a: 1\nb: 2\na: 3", 'cart.yaml:3: "a" occurs twice in one mapping'),
        ("apiVersion: v1\nkind: A\nmetadata: {name: {{ .Values.name }}}", "cart.yaml:3: a Helm template"),
        ("{{- if .Values.on }}\na: b", "cart.yaml:1: a Helm template"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: '{{ .Release.Name }}'}", "cart.yaml:3: a Helm template"),
    ],
)
def test_what_is_no_object_is_refused_with_file_and_line(text: str, problem: str) -> None:
    (line,) = refused(text)
    assert problem in line


def test_all_problems_of_a_file_are_told_at_once() -> None:
    assert len(refused("kind: A\n---\nkind: B\n")) == 4


def test_folders_are_read_with_all_below_them_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("shop/b.yaml", "shop/a/c.yml", "shop/README.md", "shop/a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{{apiVersion: v1, kind: Secret, metadata: {{name: {Path(name).stem.lower()}}}}}")
    found = read(["shop"], tmp_path)
    assert [one.file for one in found] == ["shop/a/c.yml", "shop/a.json", "shop/b.yaml"]


def test_what_is_not_there_or_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project/empty").mkdir(parents=True)
    (tmp_path / "other.yaml").write_text(CART)
    with pytest.raises(ManifestError) as error:
        read(["none.yaml", "../other.yaml", "empty"], tmp_path / "project")
    none, outside, empty = str(error.value).splitlines()
    assert none == "none.yaml: there is no such file or folder"
    assert outside.startswith("../other.yaml: outside the project")
    assert empty.startswith("empty: no file in this folder ends with")


@pytest.mark.parametrize("nested", [False, True])
def test_a_kustomization_that_takes_from_elsewhere_is_refused(nested: bool, tmp_path: Path) -> None:
    far = "resources: ['https://example.com/base?ref=v1']"
    (tmp_path / "app/base").mkdir(parents=True)
    (tmp_path / "app/kustomization.yaml").write_text("resources: [base]" if nested else far)
    (tmp_path / "app/base/kustomization.yaml").write_text(far)
    with pytest.raises(ManifestError, match=r"https://example\.com/base\?ref=v1, which is not a local file"):
        read(["app"], tmp_path)


def test_numbers_and_dates_are_read_as_kubectl_reads_them() -> None:
    head = "kind: A\napiVersion: v1\nmetadata: {name: a}\n"
    (found,) = parse(f"{head}x: [1e9, 12e-1, 0x1F, 1_000, 010, y, 2020-01-01]", "a.yaml")
    assert found.body["x"] == [1000000000, 1.2, 31, 1000, 8, True, "2020-01-01"]


def test_a_folder_of_kustomizations_is_refused_with_their_names(tmp_path: Path) -> None:
    for name in ("base", "production"):
        (tmp_path / "app" / name).mkdir(parents=True)
        (tmp_path / "app" / name / "kustomization.yaml").write_text("resources: []")
    with pytest.raises(ManifestError, match="contains kustomizations: name the one to use: app/base, app/production"):
        read(["app"], tmp_path)


def test_what_a_kustomization_renders_is_named_by_its_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []")
    text = "\napiVersion: v1\nkind: Service\nmetadata: {name: cart}\n"
    monkeypatch.setattr(files, "_kustomized", lambda _folder, name, _problems: [(text, name)])
    (found,) = read(["."], tmp_path)
    assert found.place("spec.ports") == ". (Service cart).spec.ports"
