"""Pictures of meshes and of components: what they show, that nothing overlaps, and that changes are marked."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import pytest

from commands import graph as graph_command
from commands import map as command
from commands import stackfiles
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.pictures import graph, layout, mermaid, model, svg
from mesh.pictures import map as drawing
from mesh.pictures.graph import Resource
from mesh.pictures.model import Picture
from tests import meshes
from tests.faults import policy
from tests.meshes import Manifest, manifest_of, routes, to

STEPS = 50
"""The number of points of a curve that are checked."""
FAULT = {"abort": {"httpStatus": 500, "percentage": {"value": 10}}}
JASON = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], **to("cart", "v2")}


def split(first: int, **more: object) -> Manifest:
    parts = [{"destination": {"host": "cart", "subset": "v1"}, "weight": first}]
    return {"route": [*parts, {"destination": {"host": "cart", "subset": "v2"}, "weight": 100 - first}], **more}


def picture(*objects: Manifest) -> Picture:
    return drawing.of(Mesh([Object.read(manifest) for manifest in meshes.changed(objects)], DEFAULT_NAMES), "mesh test")


def rich() -> Picture:
    """A picture with everything that a map can show."""
    outside = {
        "hosts": ["bank.example.com"],
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        "resolution": "DNS",
    }
    entry = manifest_of("ServiceEntry", "bank", outside)
    return picture(routes("cart", JASON, split(90, fault=FAULT, timeout="2s", mirror={"host": "front"})), entry)


def texts(shown: Picture) -> set[str]:
    return {line for box in shown.boxes for line in (*box.lines, *box.locks)}


def test_the_map_connects_hosts_with_gateways_routes_services_and_workloads() -> None:
    shown = picture()
    names = {box.id: box.lines[0] for box in shown.boxes}
    ways = {(names[arrow.source], names[arrow.target]) for arrow in shown.arrows}
    assert {
        ("shop.example.com", "way-in"),
        ("way-in", "all requests"),
        ("all requests", "front.shop"),
        ("front.shop", "front"),
        ("cart.shop", "/new*"),
        ("/new*", "cart-v2"),
        ("all requests", "cart-v1"),
    } <= ways


def test_the_map_shows_weights_faults_timeouts_and_policies() -> None:
    shown = rich()
    assert {"90 %", "10 %", "copies"} <= {arrow.label for arrow in shown.arrows}
    assert {"fault: 10 % end in 500", "timeout 2s", "end-user: jason", "mTLS", "allow cart", "outside"} <= texts(shown)


def test_the_map_shows_routes_of_connections_with_their_server_names() -> None:
    tls = [
        {"match": [{"sniHosts": ["cart.example.com"]}], "route": [{"destination": {"host": "cart", "subset": "v2"}}]}
    ]
    hosts = ["cart", "cart.example.com"]
    assert "cart.example.com" in texts(picture(manifest_of("VirtualService", "cart", {"hosts": hosts, "tls": tls})))


def test_the_map_shows_each_of_several_mirrors() -> None:
    copies = [{"destination": {"host": host}} for host in ("front", "gone")]
    shown = picture(routes("cart", to("cart", mirrors=copies)))
    targets = [arrow.target for arrow in shown.arrows if arrow.label == "copies"]
    assert {box.lines[0] for box in shown.boxes if box.id in targets} == {"front", "gone"}


def test_the_map_marks_workloads_without_a_sidecar_and_unknown_hosts() -> None:
    batch = meshes.deployment(
        "cart-v2", {"app": "cart", "version": "v2"}, annotations={"sidecar.istio.io/inject": "false"}
    )
    lost = routes("visitors", to("gone"), hosts=["shop.example.com"], gateways=["way-in"])
    assert {"no sidecar", "unknown"} <= texts(picture(batch, lost))


SVG = "{http://www.w3.org/2000/svg}"


def rectangles(root: ET.Element) -> Sequence[layout.Frame]:
    """The background of the picture, the boxes, and the backgrounds of labels."""
    sides = ("x", "y", "width", "height")
    return [layout.Frame(*(float(found.get(side, "0")) for side in sides)) for found in root.iter(f"{SVG}rect")]


def points(way: str) -> Iterator[tuple[float, float]]:
    """Points on the path of an arrow: a curve, then a straight line."""
    x, y, x1, y1, x2, y2, bend, to_y, end = map(float, re.findall(r"-?[\d.]+", way))
    for i in range(STEPS + 1):
        t = i / STEPS
        parts = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
        yield (
            sum(part * at for part, at in zip(parts, (x, x1, x2, bend), strict=True)),
            sum(part * at for part, at in zip(parts, (y, y1, y2, to_y), strict=True)),
        )
    for i in range(STEPS + 1):
        yield bend + (end - bend) * i / STEPS, to_y


stack_map, stack_graph = cache(command.of), cache(graph_command.of)


def crowded() -> Picture:
    """A picture with many arrows, with labels and without."""
    shares = (split(share, match=[{"uri": {"exact": f"/{share}"}}]) for share in (5, 50, 95))
    both = routes("front", to("front", mirror={"host": "cart"}), gateways=["way-in", "mesh"])
    return picture(routes("cart", *shares, JASON), both)


PICTURES: Mapping[str, Callable[[], Picture]] = {
    "small": picture,
    "rich": rich,
    "crowded": crowded,
    "from rich to crowded": lambda: model.diff(rich(), crowded()),
    "from crowded to rich": lambda: model.diff(crowded(), rich()),
    "a title alone": lambda: Picture(title="components of a stack", columns=(), boxes=(), arrows=()),
    **{f"map {name}": partial(stack_map, name) for name in stackfiles.names()},
    **{f"graph {name}": partial(stack_graph, name) for name in stackfiles.names()},
    **{
        f"from {old} to {new}": partial(lambda old, new: model.diff(stack_map(old), stack_map(new)), old, new)
        for old, new in itertools.pairwise(stackfiles.names())
    },
}


@pytest.fixture(params=PICTURES)
def shown(request: pytest.FixtureRequest) -> Picture:
    """Each picture in turn: small ones, those of all shipped stacks, and the differences between these."""
    return PICTURES[request.param]()


@pytest.mark.slow
def test_the_pictures_under_test_have_parts_in_every_state() -> None:
    drawn = [draw() for draw in PICTURES.values()]
    assert {arrow.state for one in drawn for arrow in one.arrows if arrow.label} == {"", "added", "removed"}
    assert {box.state for one in drawn for box in one.boxes} == {"", "added", "removed"}


def overlap(one: layout.Frame, other: layout.Frame) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@pytest.mark.slow
def test_boxes_and_labels_do_not_overlap(shown: Picture) -> None:
    placed = layout.arrange(shown)
    frames = [frame for _, frame in placed.boxes] + [line.label for line in placed.lines if line.label]
    assert [pair for pair in itertools.combinations(frames, 2) if overlap(*pair)] == []


def test_all_text_fits_into_its_box_and_into_the_picture(shown: Picture) -> None:
    root = ET.fromstring(svg.draw(shown))
    ground, *frames = rectangles(root)
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        width = layout.text_width(text.text or "") * float(text.get("font-size", layout.FONT_SIZE)) / layout.FONT_SIZE
        within = [frame for frame in (ground, *frames) if overlap(frame, layout.Frame(x + 1, y, 0, 0))]
        headline = text.text == shown.title or text.text in shown.columns
        assert len(within) == (1 if headline else 2), text.text
        assert all(x + width <= frame.x + frame.width + 0.1 for frame in within), text.text


def test_no_arrow_crosses_a_box_or_the_label_of_another_arrow(shown: Picture) -> None:
    placed = layout.arrange(shown)
    boxes = [frame for box, frame in placed.boxes if box.lines]
    ways = [path.get("d", "") for path in ET.fromstring(svg.draw(shown)).iter(f"{SVG}path")]
    curves = [way for way in ways if "C" in way]
    for line, way in zip(placed.lines, curves, strict=True):
        labels = [other.label for other in placed.lines if other.label and other is not line]
        for x, y in points(way):
            touched = [frame for frame in (*boxes, *labels) if overlap(frame, layout.Frame(x, y, 0, 0))]
            assert touched == [], line.arrow


def test_every_arrow_ends_in_the_next_column() -> None:
    placed = layout.arrange(rich())
    columns = {box.id: box.column for box, _ in placed.boxes}
    used = sorted(set(columns.values()))
    for line in placed.lines:
        assert used.index(columns[line.arrow.target]) == used.index(columns[line.arrow.source]) + 1


def test_the_svg_is_well_formed_with_special_characters_in_names() -> None:
    odd = routes("cart", to("cart", "v1", match=[{"uri": {"regex": '<&"|`#'}}]))
    root = ET.fromstring(svg.draw(picture(odd)))
    assert '/<&"|`#/' in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert '"]' not in mermaid.write(picture(odd)).replace('"]\n', "").replace('"]:::', "")


SPLIT = (("v1", 3), ("v2", 1))
"""Weights that do not add up to 100; proxies take each as a part of the sum."""


def test_the_map_shows_the_shares_that_proxies_apply() -> None:
    delay = {"fixedDelay": "1s", "percentage": {}, "percent": 50}  # a percentage that is there counts, if it is 0, too
    assert "fault: 0 % 1s late" in texts(picture(routes("cart", to("cart", "v1", fault={"delay": delay}))))
    parts = [{"destination": {"host": "cart", "subset": version}, "weight": weight} for version, weight in SPLIT]
    labels = {arrow.label for arrow in picture(routes("cart", {"route": parts})).arrows}
    assert labels == {"", "75 %", "25 %"}


def test_mermaid_has_every_box_and_arrow() -> None:
    shown = rich()
    lines = mermaid.write(shown).splitlines()
    assert len([line for line in lines if line.startswith("    n")]) == len(shown.boxes)
    assert len([line for line in lines if "-->" in line]) == len(shown.arrows)


def test_what_is_added_and_removed_is_marked_and_the_rest_is_not() -> None:
    old, new = picture(routes("cart", split(90))), picture(routes("cart", split(50)))
    both = model.diff(old, new)
    marked = {(arrow.label, arrow.state) for arrow in both.arrows if arrow.state}
    assert marked == {("90 %", "removed"), ("10 %", "removed"), ("50 %", "added")}
    assert {box.state for box in both.boxes} == {""}


def test_a_route_inserted_before_another_is_added_and_the_other_is_unchanged() -> None:
    both = model.diff(picture(routes("cart", split(90))), picture(routes("cart", JASON, split(90))))
    assert [box.lines for box in both.boxes if box.state] == [("end-user: jason",)]
    assert {arrow.state for arrow in both.arrows} == {"", "added"}


def test_a_changed_box_appears_once_with_the_lines_of_both_pictures() -> None:
    both = model.diff(picture(), picture(policy("more", {"namespaces": ["shop"]}, app="front")))
    (front,) = [box for box in both.boxes if box.lines[0] == "front"]
    assert (front.locks, front.line_states, front.state) == (("mTLS", "+ allow more"), {"+ allow more": "added"}, "")
    back = model.diff(picture(routes("cart", split(90, timeout="2s"))), picture(routes("cart", split(90))))
    (rule,) = [box for box in back.boxes if box.line_states]
    assert rule.line_states == {"− timeout 2s": "removed"}  # noqa: RUF001 (a minus)
    assert ET.fromstring(svg.draw(back)) is not None
    assert 'fill="#cf222e">− timeout 2s<' in svg.draw(back)  # noqa: RUF001 (a minus)


def test_every_arrow_leads_from_left_to_right(shown: Picture) -> None:
    columns = {box.id: box.column for box in shown.boxes}
    assert all(columns[arrow.source] < columns[arrow.target] for arrow in shown.arrows)


def test_an_unchanged_mesh_has_no_marks() -> None:
    same = model.diff(rich(), rich())
    assert {box.state for box in same.boxes} | {arrow.state for arrow in same.arrows} == {""}


def test_the_command_writes_svg_and_mermaid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run("demo", tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [f"{tmp_path}/map-demo.svg", f"{tmp_path}/map-demo.mmd"]
    assert (tmp_path / "map-demo.svg").read_text().startswith("<svg")


def test_the_graph_shows_components_their_objects_and_dependencies() -> None:
    shown = stack_graph("dev")
    names = {box.id: box.lines[0] for box in shown.boxes}
    columns = {box.lines[0]: box.column for box in shown.boxes}
    assert columns["base"] < columns["istiod"] < columns["namespaces"] < columns["bookinfo"]
    assert ("base", "istiod") in {(names[arrow.source], names[arrow.target]) for arrow in shown.arrows}
    assert "6 Deployment" in texts(shown)


def test_the_graph_leaves_out_dependencies_that_follow_from_others() -> None:
    parts = [
        Resource(urn="a", parent="", type="mesh:x:A", name="a", depends_on=frozenset()),
        Resource(urn="b", parent="", type="mesh:x:B", name="b", depends_on=frozenset({"a"})),
        Resource(urn="c", parent="", type="mesh:x:C", name="c", depends_on=frozenset({"a", "b"})),
    ]
    assert [(arrow.source, arrow.target) for arrow in graph.of(parts, "x").arrows] == [("a", "b"), ("b", "c")]


def test_a_route_of_connections_says_who_calls_from_where_and_to_which_address() -> None:
    match = {"sourceNamespace": "a", "destinationSubnets": ["10.0.0.0/8"]}
    tcp = [{"match": [match], "route": [{"destination": {"host": "cart", "subset": "v2"}}]}]
    shown = picture(manifest_of("VirtualService", "cart", {"hosts": ["cart"], "tcp": tcp}))
    assert "from namespace a, to 10.0.0.0/8" in texts(shown)


def test_a_picture_says_its_boxes_to_readers_who_do_not_see_it() -> None:
    root = ET.fromstring(svg.draw(picture()))
    words = str(root.findtext(f"{SVG}desc"))
    assert root.get("role") == "img"
    assert words.startswith("hosts: shop.example.com; gateways: way-in; routes: all requests; services: ")
    assert ET.fromstring(svg.draw(picture(), "In words")).findtext(f"{SVG}desc") == "In words"
