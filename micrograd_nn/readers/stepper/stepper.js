// The steps: first each computed node, then the seed, then each term of the chain rule.

const get = (id) => document.getElementById(id), graph = get("graph");
const computed = nodes.map((_, n) => n).filter((n) => nodes[n].isComputed);
const steps = computed.map((node) => ({ kind: "forward", node }));
if (data.seed !== "") steps.push({ kind: "seed", node: root });
for (const [node, argument, form, local, value, total] of data.events)
  steps.push({ kind: "backward", node, argument, input: nodes[node].inputs[argument],
    form: data.forms[form], local: quantity(local ?? null), value: quantity(value ?? null),
    total: quantity(total ?? null) });
// What a step leaves out is upstream times local, and the sum so far.
const gradients = new Map();
if (data.seed !== "") gradients.set(root, quantity(data.seed));
for (const step of steps) {
  if (step.kind !== "backward") continue;
  step.upstream = gradients.get(step.node);
  step.value ??= step.upstream * step.local;
  step.before = gradients.get(step.input) ?? null;
  step.total ??= (step.before ?? 0) + step.value;
  gradients.set(step.input, step.total);
}
for (const n of gradients.keys()) nodes[n].hasGradient = true;
const name = (n) => nodes[n].label, top = name(root);
const isNumber = (q) => typeof q === "number";

const state = { step: 0, closed: new Set(data.levels[data.level][1]), view: null };
let shown, timer, written;

// ------------------------------------------------------------------------------ the picture

function gradientsAt(count) {
  const found = new Map();
  for (const step of steps.slice(0, count))
    if (step.kind === "seed") found.set(root, quantity(data.seed));
    else if (step.kind === "backward") found.set(step.input, step.total);
  return found;
}

function redraw() {
  const focused = document.activeElement?.dataset?.group;
  shown = draw(get("drawing"), state.closed);
  if (focused !== undefined) get("drawing").querySelector(`[data-group="${focused}"]`)?.focus();
  const level = data.levels.findIndex(([, closed]) =>
    closed.length === state.closed.size && closed.every((g) => state.closed.has(g)));
  get("level").value = level;
  setView(state.view ?? home());
  update();
}

function update() {
  const gradient = gradientsAt(state.step), step = steps[state.step - 1];
  const done = new Set(computed.slice(0, state.step));
  const active = step && (step.kind === "backward" ? step.input : step.node);
  const sources = !step || step.kind === "seed" ? []
    : step.kind === "forward" ? nodes[step.node].inputs : [step.node];
  graph.setAttribute("class", step ? (step.kind === "forward" ? "forward" : "backward") : "");
  for (const card of shown.cards) {
    const outputs = card.outputs.filter((n) => !nodes[n].isComputed || done.has(n));
    const isDone = outputs.length === card.outputs.length;
    const reached = card.outputs.filter((n) => gradient.has(n));
    const told = {
      data: isDone ? phrase(outputs.map((n) => nodes[n].value)) : "",
      grad: phrase(reached.map((n) => gradient.get(n))),
    };
    for (const part of ["data", "grad"])
      if (card.words?.[part])
        card.words[part].forEach((text, k) => {
          text.classList.toggle("empty", !told[part]);
          if (k) text.textContent = told[part];
        });
    card.element.classList.toggle("todo", !isDone);
    card.element.classList.toggle("active", card.nodes.includes(active));
    card.element.classList.toggle("source",
      !card.nodes.includes(active) && sources.some((n) => card.nodes.includes(n)));
    card.title.textContent = describe(card, isDone, gradient);
  }
  for (const wire of shown.wires) wire.element.classList.remove("forward", "backward");
  const moved = !step || step.kind === "seed" ? []
    : (step.kind === "forward" ? nodes[step.node].inputs.map((_, k) => k) : [step.argument])
      .map((argument) => shown.wireOf.get(`${step.node},${argument}`)).filter(Boolean);
  for (const wire of moved) {
    wire.element.classList.add(step.kind);
    wire.element.parentNode.append(wire.element);
  }
  const factor = get("factor");
  factor.textContent = "";
  if (step?.kind === "backward" && isNumber(step.local) && moved.length) {
    const path = moved[0].element, at = path.getPointAtLength(path.getTotalLength() / 2);
    factor.setAttribute("x", at.x);
    factor.setAttribute("y", at.y - 6);
    factor.textContent = `· ${number(step.local)}`;
  }
  follow(shown.cards[shown.cardOf[active]]);
  get("scrub").value = state.step;
  get("scrub").setAttribute("aria-valuetext", spoken(step));
  get("count").textContent = `${state.step} / ${steps.length}`;
  for (const id of ["first", "back"]) get(id).disabled = state.step === 0;
  for (const id of ["next", "last"]) get(id).disabled = state.step === steps.length;
  get("panel").replaceChildren(...explain(step, gradient));
  remember();
}

const spoken = (step) => {
  if (!step) return "start";
  const words = { forward: () => `forward: ${name(step.node)} is computed`, seed: () => "the seed",
    backward: () => `backward: from ${name(step.node)} to ${name(step.input)}` };
  return `${state.step} of ${steps.length}, ${words[step.kind]()}`;
};

function describe(card, isDone, gradient) {
  const exact = (q) => (isNumber(q) ? String(q) : `${q[1]}, shape ${q[0]}`);
  if (card.group !== undefined) {
    const { name: label, contents } = groups[card.group];
    return [label, ...contents, `${card.nodes.length} nodes, closed`].join("\n");
  }
  const [n] = card.nodes, node = nodes[n];
  const text = [node.isComputed ? `${node.label} = ${plain(node)}` : node.label];
  text.push(isDone ? `data ${exact(node.value)}` : "not computed yet");
  if (gradient.has(n)) text.push(`grad ${exact(gradient.get(n))}`);
  return text.join("\n");
}

const plain = (node) =>
  data.forms[node.form].replace(/\{(\d+)\}/g, (_, i) => name(node.inputs[i]));

// -------------------------------------------------------------------------------- the panel

const term = (n, next) => {
  const node = nodes[n];
  if (node.kind !== "constant" || !isNumber(node.value)) return symbol(node.label);
  return next === "^" || node.value >= 0 ? numeral(node.value) : bracketed(node.value);
};
const inSymbols = (node) => formula(data.forms[node.form], (i, next) => term(node.inputs[i], next));
const isOfNumbers = (node) => isNumber(node.value) && node.inputs.every((i) => isNumber(nodes[i].value));

function inNumbers(node) {
  const form = data.forms[node.form], hasPlaces = form.includes("{");
  if (hasPlaces) return formula(form, (i) => bracketed(nodes[node.inputs[i]].value));
  const half = (node.inputs.length - 1) / 2, [first, last = ""] = form.split("w · x + b");
  const x = (k) => nodes[node.inputs[k]].value;
  let z = x(2 * half);
  for (let k = 0; k < half; k++) z += x(k) * x(half + k);
  return first + last ? formula(`${first}{0}${last}`, () => numeral(z)) : numeral(z);
}

function explain(step, gradient) {
  const title = (text, kind = "") => html("h2", { class: kind }, text);
  if (!step) {
    const seed = data.seed === "" ? "No gradient is wanted of it."
      : `The forward pass computes ${top}; the backward pass then carries its gradient to every value.`;
    return [title("Start"), html("p", {}, "Inputs and parameters have their values; nothing is ",
      "computed yet. ", seed), html("p", {}, `${steps.length} steps: press → or ▶.`)];
  }
  if (step.kind === "forward") return [title("Forward", "forward"), ...explainForward(step)];
  if (step.kind === "seed") {
    const one = isNumber(gradient.get(root));
    return [title("Backward: the seed", "backward"),
      lines([fraction(top, top), sign("="), one ? numeral(gradient.get(root)) : math("mtext", "ones")]),
      html("p", {}, one ? `A change of ${top} changes ${top} by just as much.`
        : `${top} is an array: its gradient begins with ones, as for the sum of its elements.`)];
  }
  return [title("Backward: the chain rule", "backward"), ...explainBackward(step)];
}

function explainForward({ node: n }) {
  const node = nodes[n], rows = [[symbol(node.label), sign("="), inSymbols(node)]];
  if (!isOfNumbers(node)) {
    const shapes = node.inputs.map((i) => nodes[i].value).filter((q) => !isNumber(q)).map((q) => q[0]);
    const from = shapes.length > 4 ? [...shapes.slice(0, 2), "…"] : shapes;
    return [lines(...rows), table([["shapes", `${from.join(", ")} → ${shape(node.value)}`],
      ["data", node.value]])];
  }
  rows.push([row(), sign("="), inNumbers(node)]);
  if (data.forms[node.form] !== "w · x + b") rows.push([row(), sign("="), numeral(node.value)]);
  const out = [lines(...rows)];
  if (!data.forms[node.form].includes("{") && node.inputs.length > 2) out.push(unit(node));
  return out;
}

// The terms of a neuron: w · x, one below the other.
function unit(node) {
  const half = (node.inputs.length - 1) / 2, terms = [];
  const line = (...cells) => html("tr", {}, ...cells.map((cell) => html("td", {}, cell)));
  for (let k = 0; k < Math.min(half, 12); k++) {
    const [x, w] = [node.inputs[k], node.inputs[half + k]];
    terms.push(line(inline(symbol(name(w)), sign("·"), term(x)),
      inline(bracketed(nodes[w].value), sign("·"), bracketed(nodes[x].value)),
      inline(numeral(nodes[w].value * nodes[x].value))));
  }
  if (half > 12) terms.push(line(`… ${half - 12} more terms`, "", ""));
  const bias = node.inputs[2 * half];
  terms.push(line(inline(symbol(name(bias))), "", inline(numeral(nodes[bias].value))));
  return html("table", { class: "terms" }, ...terms);
}

const inline = (...parts) => math("math", ...parts);
const shape = (q) => (isNumber(q) ? "scalar" : q[0]);

function explainBackward(step) {
  const node = nodes[step.node], d = node.label, e = name(step.input);
  const upstream = () => fraction(top, d), derivative = () => fraction(d, e);
  const word = (place, next) => {
    if (place === "z") return symbol(d);
    if (place !== "g") return term(node.inputs[place], next);
    return next === "ᵀ" ? row(sign("("), upstream(), sign(")")) : upstream();
  };
  const scalars = isNumber(step.value) && isNumber(step.upstream) && isNumber(step.local);
  const isVjp = step.form.includes("{g}") && !scalars;
  const product = isVjp ? formula(step.form, word)
    : row(upstream(), sign(scalars || step.local === null ? "·" : "∘"), derivative());
  const rule = [[fraction(top, e), sign("+="), product]];
  if (scalars)
    rule.push([row(), sign("="), row(bracketed(step.upstream), sign("·"), bracketed(step.local),
      sign("="), numeral(step.value))]);
  const local = [derivative()];
  if (step.form && !isVjp) local.push(sign("="), formula(step.form, word));
  const facts = [["upstream", step.upstream, upstream()]];
  if (step.local !== null) facts.push(["local", step.local, ...local]);
  if (!scalars && step.before !== null) facts.push(["contribution", step.value]);
  facts.push(["accumulated", step.total, fraction(top, e)]);
  const out = [lines(...rule), table(facts)];
  const summed = !scalars && !isVjp && shape(step.value) !== shape(step.upstream)
    && step.local !== null && shape(step.local) === shape(step.upstream);
  if (summed) out.push(html("p", {}, `Summed over the axes along which ${e} was repeated.`));
  if (step.before !== null && isNumber(step.before) && scalars)
    out.push(html("p", { class: "sum" }, "accumulated: ", inline(bracketed(step.before), sign("+"),
      bracketed(step.value), sign("="), numeral(step.total)),
    ` since ${e} is used more than once.`));
  else if (step.before !== null) out.push(html("p", {}, `Added to what ${e} had received before.`));
  return out;
}

// Facts, each [label, value, what it is in symbols]; the last one is the sum of it all.
function table(facts) {
  return html("dl", {}, ...facts.flatMap(([label, value, ...symbols], k) => {
    const last = { class: facts.length > 2 && k === facts.length - 1 ? "sum" : "" };
    const words = html("dd", last);
    if (isNumber(value)) words.append(inline(numeral(value)));
    else if (typeof value === "string") words.append(value);
    else words.append(html("span", { class: "shape" }, value[0]), ` ${value[1]}`);
    const term = html("dt", last, `${label} `);
    if (symbols.length) term.append(inline(...symbols));
    const rows = value[2] ? [html("dd", { class: "rows" }, matrix(value[2]))] : [];
    return [term, words, ...rows];
  }));
}

// ----------------------------------------------------------------------------- steps in time

function go(step) {
  state.step = Math.max(0, Math.min(steps.length, step));
  update();
  if (state.step === steps.length) stop();
}

const playIcon = (path) => get("play").querySelector("path").setAttribute("d", path);

function stop() {
  clearInterval(timer);
  timer = null;
  playIcon("M2 1v10l9-5z");
  get("play").setAttribute("aria-label", "play");
  get("panel").setAttribute("aria-live", "polite");
}

function play() {
  if (timer) return stop();
  if (state.step === steps.length) go(0);
  playIcon("M2 1h3v10H2zM7 1h3v10H7z");
  get("play").setAttribute("aria-label", "pause");
  get("panel").setAttribute("aria-live", "off"); // it would never stop talking
  timer = setInterval(() => go(state.step + 1), get("speed").value);
}

// ------------------------------------------------------------------------- open and close

function toggle(group) {
  const closed = new Set(state.closed);
  if (!closed.delete(group)) closed.add(group);
  show(closed);
}

function show(closed) {
  const count = countCards(closed);
  if (count > data.most) {
    say(tooMany(count));
    get("level").value = -1;
    return redraw();
  }
  say("");
  state.closed = closed;
  state.view = null;
  return redraw();
}

// The fullest level that can be read without zooming in.
function openAsReadable() {
  for (let level = data.level; level >= 0; level--) {
    state.closed = new Set(data.levels[level][1]);
    shown = draw(get("drawing"), state.closed);
    if (scale() >= LEGIBLE) return;
  }
}

const tooMany = (count) => `That would show ${count} cards, more than can be read: at most ${data.most}.`;
const say = (text) => { get("message").textContent = text; };

// ----------------------------------------------------------------------------- zoom and pan

const MARGIN = 24, CLOSEST = 1.5, LEGIBLE = 0.55, CLOSE = 0.8;

function fitting() {
  const { clientWidth, clientHeight } = graph;
  const width = Math.max(shown.width + 2 * MARGIN, clientWidth / CLOSEST);
  const height = Math.max(shown.height + 2 * MARGIN, clientHeight / CLOSEST);
  return [(shown.width - width) / 2, (shown.height - height) / 2, width, height];
}

const scale = () => graph.clientWidth / fitting()[2];

// All that is drawn, or, where that would be too small to read, a part of it.
function home() {
  if (scale() >= LEGIBLE) return null;
  const step = steps[state.step - 1], n = step?.input ?? step?.node ?? computed[0] ?? root;
  return around(shown.cards[shown.cardOf[n]].box, graph.clientWidth / CLOSE, graph.clientHeight / CLOSE);
}

const around = (box, width, height) =>
  [box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2, width, height];

function setView(view) {
  state.view = view;
  graph.setAttribute("viewBox", (view ?? fitting()).join(" "));
}

function point(x, y) {
  return new DOMPoint(x, y).matrixTransform(graph.getScreenCTM().inverse());
}

function zoom(by, at) {
  const [x, y, width, height] = state.view ?? fitting();
  const fit = fitting();
  const factor = Math.max(60 / width, Math.min(by, 2 * Math.max(fit[2] / width, fit[3] / height)));
  const { x: u, y: v } = at ?? { x: x + width / 2, y: y + height / 2 };
  setView([u + (x - u) * factor, v + (y - v) * factor, width * factor, height * factor]);
  remember();
}

// Bring a card into view, unless all is in view.
function follow(card) {
  if (!card || !state.view) return;
  const [x, y, width, height] = state.view, { box } = card;
  const inside = box.x >= x && box.y >= y && box.x + box.width <= x + width
    && box.y + box.height <= y + height;
  if (!inside) setView(around(box, width, height));
}

const pointers = new Map();
let isDragged = false;

function drag(event) {
  if (!pointers.has(event.pointerId)) return;
  const before = [...pointers.values()].map(([x, y]) => point(x, y));
  const moved = pointers.get(event.pointerId);
  if (!isDragged && Math.hypot(event.clientX - moved[0], event.clientY - moved[1]) < 4) return;
  isDragged = true;
  graph.classList.add("dragged");
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  const after = [...pointers.values()].map(([x, y]) => point(x, y));
  const middle = (p) => ({ x: (p[0].x + p[p.length - 1].x) / 2, y: (p[0].y + p[p.length - 1].y) / 2 });
  const [x, y, width, height] = state.view ?? fitting();
  const a = middle(before), b = middle(after);
  setView([x + a.x - b.x, y + a.y - b.y, width, height]);
  const spread = (p) => Math.hypot(p[0].x - p[1].x, p[0].y - p[1].y);
  if (before.length === 2) zoom(spread(before) / Math.max(spread(after), 1), a);
  remember();
}

// ------------------------------------------------------------------------- a link to all this

function remember() {
  clearTimeout(written);
  written = setTimeout(() => {
    try { history.replaceState(null, "", address()); } catch { /* not where pages have no address */ }
  }, 200);
}

function address() {
  const parts = [`step=${state.step}`, `closed=${[...state.closed].sort((a, b) => a - b).join(".")}`];
  if (state.view) parts.push(`view=${state.view.map((x) => Math.round(x)).join(",")}`);
  return `#${parts.join("&")}`;
}

function restore() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("closed")) {
    const closed = new Set(asked.get("closed").split(".").filter(Boolean).map(Number)
      .filter((g) => groups[g]));
    if (countCards(closed) <= data.most) state.closed = closed;
    else say(tooMany(countCards(closed)));
  }
  const view = (asked.get("view") ?? "").split(",").map(Number);
  state.view = view.length === 4 && view.every(Number.isFinite) && view[2] > 0 && view[3] > 0
    ? view : null;
  state.step = Math.max(0, Math.min(steps.length, Math.trunc(+asked.get("step")) || 0));
  return asked.has("closed");
}

async function copyLink() {
  const link = location.href.split("#")[0] + address();
  try {
    await navigator.clipboard.writeText(link);
    say("The link is copied.");
  } catch {
    location.hash = address();
    say("The address of this page now leads back to what it shows.");
  }
}

// ------------------------------------------------------------------------- what is pointed at

function pointAt(target) {
  const card = shown.cards.find((card) => card.element === target?.closest?.(".card"));
  for (const wire of shown.wires) {
    const isEnd = card && (shown.cards[wire.source] === card || shown.cards[wire.target] === card);
    wire.element.classList.toggle("near", Boolean(isEnd));
  }
  const about = card ? card.title.textContent.split("\n") : [];
  get("about").replaceChildren(...about.map((line, k) => html(k ? "p" : "h3", {}, line)));
}

// --------------------------------------------------------------------------------- controls

const keys = {
  ArrowRight: () => go(state.step + 1), ArrowLeft: () => go(state.step - 1),
  Home: () => go(0), End: () => go(steps.length), " ": play,
  "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25), "−": () => zoom(1.25),
  0: () => { setView(null); remember(); },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
  const group = event.target.closest("[data-group]");
  if (group && (event.key === "Enter" || event.key === " ")) toggle(+group.dataset.group);
  else if (event.target.matches("input, select") || !keys[event.key]) return;
  else if (event.key === " " && event.target.matches("button")) return;
  else keys[event.key]();
  event.preventDefault();
});
const press = { first: keys.Home, back: keys.ArrowLeft, play, next: keys.ArrowRight, last: keys.End,
  in: keys["+"], out: keys["-"], fit: keys[0], link: copyLink };
for (const [id, action] of Object.entries(press)) get(id).addEventListener("click", action);
get("scrub").addEventListener("input", (event) => go(+event.target.value));
get("speed").addEventListener("change", () => { if (timer) { stop(); play(); } });
get("level").addEventListener("change", (event) =>
  show(new Set(data.levels[event.target.value][1])));

graph.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), point(event.clientX, event.clientY));
}, { passive: false });
graph.addEventListener("pointerdown", (event) => {
  if (!pointers.size) isDragged = false;
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
});
addEventListener("pointermove", drag);
for (const end of ["pointerup", "pointercancel"])
  addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    graph.classList.remove("dragged");
  });
graph.addEventListener("click", (event) => {
  const group = event.target.closest("[data-group]");
  if (group && !isDragged) toggle(+group.dataset.group);
});
for (const over of ["pointerover", "focusin"])
  graph.addEventListener(over, (event) => pointAt(event.target));
for (const out of ["pointerleave", "focusout"]) graph.addEventListener(out, () => pointAt(null));
addEventListener("resize", () => setView(state.view));
addEventListener("hashchange", () => { restore(); redraw(); });

get("scrub").max = steps.length;
document.documentElement.style.setProperty("--split",
  `${(100 * computed.length) / Math.max(steps.length, 1)}%`);
data.levels.forEach(([label], k) => get("level").append(html("option", { value: k }, label)));
get("detail").hidden = data.levels.length < 2;
if (!restore() && data.isAuto) openAsReadable();
redraw();
