"""The stepper in headless Chromium, with the network cut."""

import json
import re
import shutil

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, Value
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers import draw
from micrograd_nn.readers.labels import labels
from micrograd_nn.readers.layout import Edge, Group, layout
from micrograd_nn.readers.numbers import number
from micrograd_nn.readers.passes import passes
from micrograd_nn.readers.stepper.page import _text

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium was found: apt install chromium"
)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install -e .[test]"
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def stepper(browser, tmp_path):
    """Open pages of drawings; at the end no page may have complained or asked for anything."""
    complaints, contexts = [], []

    def opened(root, hash="", width=1280, height=800, **options):
        collapse = options.pop("collapse", None)
        options.setdefault("bypass_csp", True)  # for the driver, which evaluates what it waits for
        path = draw(root, collapse=collapse, **options.pop("draw", {})).save(tmp_path / "g.html")
        context = browser.new_context(
            offline=True,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else complaints.append(r.url),
        )
        page.goto(path.as_uri() + hash)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def expression():
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    return ((a * b + c).named("d") * 0.1 + a).tanh().named("L")


def count(page):
    return int(page.evaluate("document.getElementById('scrub').max"))


def step(page):
    return int(page.evaluate("document.getElementById('scrub').value"))


def grads(page):
    """What the cards tell of gradients: by label, in full, from their titles."""
    titles = page.evaluate("[...document.querySelectorAll('.card title')].map(t => t.textContent)")
    found = {}
    for title in titles:
        head, *rest = title.split("\n")
        for line in rest:
            if line.startswith("grad "):
                found[head.split(" = ")[0]] = line.removeprefix("grad ")
    return found


def engine_grads(root):
    """The gradients that ``backward`` leaves in the nodes, by label."""
    root.backward()
    order = toposort(root)
    names = labels(order)
    received = {getattr(event, "input", root) for event in passes(root)}
    return {names[node]: node.grad for node in order if node in received}


# --------------------------------------------------------------------------- to the end and back


def test_it_works_under_its_own_policy_which_lets_no_other_script_run(stepper):
    root = expression()
    page = stepper(root, bypass_csp=False)
    page.keyboard.press("End")
    assert step(page) == count(page) == 14
    found = {name: float(grad) for name, grad in grads(page).items()}
    assert found == engine_grads(root)
    assert "unsafe" not in page.locator("meta[http-equiv]").first.get_attribute("content")


def test_steps_to_the_end_one_event_at_a_time(stepper):
    root = expression()
    page = stepper(root)
    events = list(passes(root))
    assert count(page) == len(events) == 14
    assert step(page) == 0
    assert page.locator(".card.todo").count() == 5
    for k in range(1, len(events) + 1):
        page.keyboard.press("ArrowRight")
        assert step(page) == k
        assert page.locator("#panel math").count() >= 1
        assert page.locator(".card.active").count() == 1
    page.keyboard.press("ArrowRight")
    assert step(page) == len(events)
    assert page.locator(".card.todo").count() == 0
    for _ in events:
        page.keyboard.press("ArrowLeft")
    assert step(page) == 0
    assert grads(page) == {}


def test_shown_gradients_are_the_engines(stepper):
    root = expression()
    page = stepper(root)
    page.keyboard.press("End")
    shown = {label: float(text) for label, text in grads(page).items()}
    assert shown == engine_grads(root)
    texts = page.locator(".card .grad").all_text_contents()
    assert sorted(texts) == sorted(number(x) for x in shown.values())


def test_shown_gradients_of_a_network(stepper):
    model = MLP(2, [4, 4, 1], activation="tanh", seed=1)
    x = [Value(1.0, name="x1"), Value(-2.0, name="x2")]
    root = ((model(x) - 1) ** 2).named("loss")
    page = stepper(root)
    page.keyboard.press("End")
    expected = engine_grads(root)
    shown = {label: float(text) for label, text in grads(page).items()}
    assert set(shown) == set(expected)
    assert len(shown) == len(model.parameters()) + 2 + 9 + 2
    for label, grad in shown.items():
        assert grad == pytest.approx(expected[label], rel=1e-12)


def test_shown_gradients_of_tensors(stepper, tensor_network):
    page = stepper(tensor_network)
    page.keyboard.press("End")
    shown, expected = grads(page), engine_grads(tensor_network)
    assert set(shown) == set(expected)
    assert "shape (6,)" in shown["b1"]
    assert shown["loss"] == "1"
    least, most = expected["W1"].min(), expected["W1"].max()
    assert shown["W1"] == f"{number(least, 3)} … {number(most, 3)}, shape 6×2"


def test_a_root_that_is_an_array_is_seeded_with_ones(stepper):
    x = Tensor([1.0, 2.0], name="x")
    page = stepper((x * x).named("y"))
    page.keyboard.press("End")
    assert grads(page) == {"y": "1, 1, shape (2,)", "x": "2, 4, shape (2,)"}


def test_infinities(stepper):
    x = Value(0.0, name="x")
    page = stepper(F.where(x > 0, x.log(), x * 2).named("y"))
    page.keyboard.press("End")
    assert grads(page)["x"] == "2"
    assert "−∞" in page.locator(".value").all_text_contents()


def test_every_step_has_a_panel(stepper, scalar_network, tensor_network):
    W = Tensor([[1.0, 2.0], [3.0, 4.0]], name="W")
    x = Value(0.5, name="x")
    parts = F.concatenate([W * x, W[:, :1], F.max(W, axis=1, keepdims=True)], axis=1)
    many = F.where(W.data > 2, W / 3, F.clip(W, 0.0, 1.0) ** 2) @ F.softmax(W, axis=1)
    numbers = F.stack([x, x.exp(), F.sqrt(x), x * x, -x, 1e-9 / x, F.maximum(x, 0.1)])
    roots = [scalar_network, tensor_network, F.sum(numbers) + F.norm(many) * F.mean(parts)]
    for root in roots:
        page = stepper(root)
        panels = page.evaluate("""() => {
          const scrub = document.getElementById("scrub"), panels = [];
          for (let k = 1; k <= scrub.max; k++) {
            scrub.value = k;
            scrub.dispatchEvent(new Event("input"));
            const panel = document.getElementById("panel");
            const has = (tag) => panel.querySelector(tag) !== null;
            panels.push([panel.textContent, has("h2") && has("math")]);
          }
          return panels;
        }""")
        assert len(panels) == count(page)
        assert all(complete for _, complete in panels)
        assert not any("undefined" in text for text, _ in panels)


# ---------------------------------------------------------------------------------- the panel


def test_the_panel_shows_the_chain_rule_of_the_moment(stepper):
    a, b = Value(-2.0, name="d"), Value(5.0, name="e")
    page = stepper(((a * b).named("f") * -2.0).named("L"), "#step=5")
    panel = page.locator("#panel")
    assert "chain rule" in panel.inner_text()
    rule = "".join(panel.locator("math").first.text_content().split())
    assert rule == "∂L∂d+=∂L∂f·∂f∂d=(−2)·5=−10"
    facts = ["".join(text.split()) for text in panel.locator("dd").all_text_contents()]
    assert facts == ["−2", "5", "−10"]
    words = "".join(panel.locator("dl").text_content().split())
    assert all(word in words for word in ("upstream", "local∂f∂d=e", "accumulated"))


def test_accumulation_is_told_where_a_value_is_used_twice(stepper):
    a = Value(3.0, name="a")
    page = stepper((a * a).named("L"))
    page.keyboard.press("End")
    assert "more than once" in page.locator("#panel").inner_text()
    assert "".join(page.locator("#panel p.sum math").text_content().split()) == "3+3=6"


def test_the_forward_pass_is_told_in_symbols_and_numbers(stepper):
    page = stepper(expression(), "#step=2")
    assert "".join(page.locator("#panel math").text_content().split()) == "d=v1+c=(−6)+10=4"


def test_a_neuron_is_told_term_by_term(stepper):
    model = MLP(2, [1], seed=1)
    x = [Value(1.0, name="x1"), Value(-2.0, name="x2")]
    page = stepper(model(x), "#step=1")
    assert page.locator("#panel .terms tr").count() == 3
    w1 = model.parameters()[0].data
    assert number(w1) in page.locator("#panel .terms tr").first.inner_text()


# ---------------------------------------------------------------------------- open and close


def test_opening_changes_what_is_seen(stepper, scalar_network):
    page = stepper(scalar_network, collapse="layers")
    before = page.locator(".card").count()
    closed = page.locator("[aria-expanded=false]")
    assert closed.count() == 2
    closed.first.click()
    assert page.locator(".card").count() == before + 3
    assert page.locator("[aria-expanded=true]").count() == 2
    page.locator("[aria-expanded=false]").first.click()
    assert "w1[0.0]" in page.locator(".card title").all_text_contents()[3]
    page.locator("[aria-expanded=true]").last.click()
    page.select_option("#level", label="everything")
    assert page.locator(".card").count() == len(toposort(scalar_network))
    assert page.locator("[aria-expanded=false]").count() == 0
    page.select_option("#level", label="networks")
    assert page.locator(".card.layer").count() == 1


def test_layers_open_from_the_keyboard_and_keep_the_focus(stepper, scalar_network):
    page = stepper(scalar_network, collapse="layers")
    page.locator("[aria-expanded=false]").first.focus()
    group = page.evaluate("document.activeElement.dataset.group")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert page.evaluate("document.activeElement.dataset.group") == group
    page.keyboard.press(" ")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    assert step(page) == 0  # the space bar has not begun to play


def test_a_closed_layer_shows_what_happens_in_it(stepper, scalar_network):
    page = stepper(scalar_network, collapse="layers")
    page.keyboard.press("ArrowRight")
    assert page.locator(".card.layer.active").count() == 1
    page.keyboard.press("End")
    outputs = page.locator(".card.layer .grad").all_text_contents()
    assert "…" in outputs[0]  # of four neurons


def test_every_card_has_one_title_and_every_edge_its_class(stepper, scalar_network):
    page = stepper(scalar_network)
    assert page.evaluate(
        "[...document.querySelectorAll('.card')]"
        ".every(card => card.querySelectorAll('title').length == 1)"
    )
    nodes = toposort(scalar_network)
    assert page.locator("path.edge").count() == sum(len(node.inputs) for node in nodes)


def test_small_windows_begin_with_less(stepper, scalar_network):
    large = stepper(scalar_network, collapse="auto", width=2400, height=1600)
    small = stepper(scalar_network, collapse="auto", width=390, height=780)
    assert small.locator(".card").count() < large.locator(".card").count()
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert small.evaluate(wide)
    assert large.evaluate(wide)


def test_what_is_too_large_is_said(stepper):
    model = MLP(20, [50, 1], seed=0)
    page = stepper(model([0.1] * 20), collapse="neurons")
    before = page.locator(".card").count()
    page.select_option("#level", label="everything")
    assert "at most 1000" in page.locator("#message").inner_text()
    assert page.locator(".card").count() == before


# --------------------------------------------------------------------------- time, links, view


def test_playing_and_scrubbing(stepper):
    page = stepper(expression())
    page.select_option("#speed", label="very fast")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    assert page.locator("#play").get_attribute("aria-label") == "pause"
    assert page.locator("#panel").get_attribute("aria-live") == "off"
    page.wait_for_function("document.getElementById('next').disabled")
    assert page.locator("#play").get_attribute("aria-label") == "play"
    assert page.locator("#panel").get_attribute("aria-live") == "polite"
    page.locator("#scrub").fill("3")
    assert page.locator("#count").inner_text() == "3 / 14"
    assert "forward" in page.locator("#scrub").get_attribute("aria-valuetext")
    page.locator("#scrub").press("ArrowRight")
    assert step(page) == 4


def test_a_link_restores_the_state(stepper, scalar_network):
    page = stepper(scalar_network, collapse="layers")
    page.locator("[aria-expanded=false]").first.click()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait_for_function("location.hash.includes('step=7')")
    view = "document.getElementById('graph').getAttribute('viewBox')"
    seen = page.evaluate("location.hash"), page.evaluate(view), page.locator(".card").count()
    again = stepper(scalar_network, seen[0], collapse="layers")
    assert step(again) == 7
    assert again.locator(".card").count() == seen[2]
    first, second = (list(map(float, v.split())) for v in (seen[1], again.evaluate(view)))
    assert first == pytest.approx(second, abs=1.0)
    again.evaluate("location.hash = '#step=2&closed=0'")
    again.wait_for_function("document.getElementById('scrub').value == 2")
    assert again.locator(".card.layer").count() == 1


@pytest.mark.parametrize(
    "hash", ["#step=x&closed=99.-1.x&view=1,2", "#%", "#step=1e9", "#view=0,0,0,0"]
)
def test_broken_links_do_no_harm(stepper, hash):
    root = expression()
    page = stepper(root, hash)
    assert page.locator(".card").count() == len(toposort(root))


def test_zoom_pan_and_fit(stepper):
    page = stepper(expression())
    view = "document.getElementById('graph').getAttribute('viewBox').split(' ').map(Number)"
    fit = page.evaluate(view)
    page.locator("#in").click()
    assert page.evaluate(view)[2] < fit[2]
    page.mouse.move(400, 400)
    page.mouse.down()
    page.mouse.move(500, 450, steps=4)
    page.mouse.up()
    moved = page.evaluate(view)
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"{view}[2] < {moved[2]}")
    page.keyboard.press("0")
    assert page.evaluate(view) == fit


def test_pointing_at_a_card_tells_about_it(stepper):
    page = stepper(expression(), "#step=14")
    page.locator(".card", has=page.locator("text.title", has_text=re.compile("^d$"))).hover()
    assert "d = v1 + c" in page.locator("#about").inner_text()
    assert page.locator(".edge.near").count() == 3
    page.locator(".card.root").focus()
    assert "L = tanh" in page.locator("#about h3").inner_text()


# --------------------------------------------------------------------------------- looks, safety


def test_light_and_dark(stepper):
    background = "getComputedStyle(document.body).backgroundColor"
    light = stepper(expression(), color_scheme="light").evaluate(background)
    dark = stepper(expression(), color_scheme="dark").evaluate(background)
    assert sum(json.loads(light.replace("rgb(", "[").replace(")", "]"))) > 600
    assert sum(json.loads(dark.replace("rgb(", "[").replace(")", "]"))) < 150


def test_text_stays_inside_its_card(stepper, scalar_network, tensor_network):
    for root in (scalar_network, tensor_network, expression()):
        page = stepper(root, collapse="neurons")
        page.keyboard.press("End")
        assert page.evaluate("""
            [...document.querySelectorAll('.card')].every(card => {
              const r = [...card.querySelectorAll('rect')].at(-1).getBBox();
              return [...card.querySelectorAll('text')].every(t => {
                const b = t.getBBox();
                return b.x >= r.x && b.x + b.width <= r.x + r.width + .5;
              });
            })""")


def test_names_are_names(stepper):
    evil = "</script><script>document.title='taken'</script>"
    x = Value(2.0, name=evil)
    page = stepper((x * x).named("<b>&amp;"))
    page.keyboard.press("End")
    assert page.title() == "<b>&amp; · 2 nodes"
    assert page.locator("b").count() == 0
    assert float(grads(page)[evil]) == 4.0


def test_a_frame_that_is_seen_later(browser, tmp_path):
    """A frame within a page may have no size yet when it is loaded."""
    frame = draw(expression()).stepper(height=400)
    hidden = tmp_path / "hidden.html"
    hidden.write_text(f"<!doctype html><div style='display: none'>{frame._repr_html_()}</div>")
    context = browser.new_context(offline=True, viewport={"width": 900, "height": 600})
    page = context.new_page()
    page.goto(hidden.as_uri())
    page.evaluate("document.querySelector('div').style.display = 'block'")
    inner = page.frame_locator("iframe")
    assert inner.locator("svg#graph").bounding_box()["height"] > 200
    inner.locator("#next").click()
    _, _, width, height = map(float, inner.locator("svg#graph").get_attribute("viewBox").split())
    assert width > 100
    assert height > 100
    inner.locator("#last").click()
    assert "14 / 14" in inner.locator("#count").inner_text()
    context.close()


def test_the_layout_is_that_of_draw(stepper):
    """One algorithm in two languages: they agree to the last tenth, in both directions."""
    model = MLP(3, [4, 2, 1], activation="tanh", seed=1)
    root = sum(((model([a, 1.0, b]) - a) ** 2 for a, b in ((1.0, 2.0), (3.0, 0.5))), Value(0.0))
    wide = MLP(10, [9, 2, 1], seed=1)([0.1] * 10)  # its edges enter layers in bundles
    script = _text("layout.js")
    page = stepper(expression())
    for drawn, collapse in ((root, None), (root, "neurons"), (root, "layers"), (wide, "neurons")):
        scene = draw(drawn, collapse=collapse).scene
        rng = np.random.default_rng(0)
        sizes = [(float(w), float(h)) for w, h in rng.integers(20, 120, (len(scene.cards), 2))]
        edges = [(w.source, w.target, w.slot, 20.0 * (w.count > 1)) for w in scene.wires]
        groups = [(frame.parent, 50.0) for frame in scene.frames]
        for direction in ("LR", "TB"):
            here = layout(
                sizes, [Edge(*e) for e in edges], [Group(*g) for g in groups], scene.frame_of,
                direction,
            )  # fmt: skip
            arguments = [
                sizes,
                [dict(zip(("source", "target", "slot", "room"), e, strict=True)) for e in edges],
                [{"parent": parent, "label": label} for parent, label in groups],
                scene.frame_of,
                direction,
            ]
            there = page.evaluate(f"(args) => {{ {script}; return layout(...args); }}", arguments)
            for mine, theirs in zip(
                [*here.cards, *here.groups], [*there["cards"], *there["groups"]], strict=True
            ):
                corner = (theirs["x"], theirs["y"], theirs["width"], theirs["height"])
                assert (mine.x, mine.y, mine.width, mine.height) == pytest.approx(corner, abs=0.1)
            for path, other in zip(here.paths, there["paths"], strict=True):
                np.testing.assert_allclose(path, other, atol=0.1)
