// The state of the page, its controls, and a link to all of it.

const state = { step: 0, closed: new Set(data.levels[data.level][1]), view: null };
let shown, timer, written;

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
    const [{ element: path, room, end }] = moved;
    const at = room ? { x: end[0] - room / 2 - 6, y: end[1] }
      : path.getPointAtLength(path.getTotalLength() / 2);
    factor.setAttribute("x", at.x);
    factor.setAttribute("y", at.y - 6);
    factor.textContent = `· ${number(step.local)}`;
  }
  get("scrub").value = state.step;
  get("scrub").setAttribute("aria-valuetext", spoken(step));
  get("count").textContent = `${state.step} / ${steps.length}`;
  for (const id of ["first", "back"]) get(id).disabled = state.step === 0;
  for (const id of ["next", "last"]) get(id).disabled = state.step === steps.length;
  get("panel").replaceChildren(...explain(step, gradient));
  remember();
}

// ------------------------------------------------------------ steps in time

function go(to) {
  state.step = Math.max(0, Math.min(steps.length, to));
  const step = steps[state.step - 1];
  update();
  if (step) follow(shown.cards[shown.cardOf[step.input ?? step.node]]);
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

// ------------------------------------------------------------ open and close

function toggle(group) {
  const closed = new Set(state.closed);
  if (!closed.delete(group)) closed.add(group);
  show(closed);
  const box = shown.boxOf.get(group);
  if (state.view && box)
    setView(around(box, Math.max(state.view[2], box.width + 2 * MARGIN),
      Math.max(state.view[3], box.height + 2 * MARGIN)));
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

// ------------------------------------------------------------ a link to all this

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

function begin() {
  if (!restore() && data.isAuto) openAsReadable();
  redraw();
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

// ------------------------------------------------------------ what is pointed at

function pointAt(target) {
  const card = shown.cards.find((card) => card.element === target?.closest?.(".card"));
  for (const wire of shown.wires) {
    const isEnd = card && (shown.cards[wire.source] === card || shown.cards[wire.target] === card);
    wire.element.classList.toggle("near", Boolean(isEnd));
  }
  const about = card ? card.title.textContent.split("\n") : [];
  get("about").replaceChildren(...about.map((line, k) => html(k ? "p" : "h3", {}, line)));
}

// ------------------------------------------------------------ controls

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
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
});
addEventListener("pointermove", drag);
for (const end of ["pointerup", "pointercancel"])
  addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    graph.classList.remove("dragged");
    setTimeout(() => { isDragged = false; }); // after the click that ends a drag
  });
graph.addEventListener("click", (event) => {
  const group = event.target.closest("[data-group]");
  if (group && !isDragged) toggle(+group.dataset.group);
});
for (const over of ["pointerover", "focusin"])
  graph.addEventListener(over, (event) => pointAt(event.target));
for (const out of ["pointerleave", "focusout"]) graph.addEventListener(out, () => pointAt(null));
let hasRoom = graph.clientWidth > 0;
addEventListener("resize", () => {
  if (hasRoom) return setView(state.view);
  hasRoom = graph.clientWidth > 0; // a frame may be loaded before it is seen, without a size to choose by
  if (hasRoom) begin();
});
addEventListener("hashchange", () => { restore(); redraw(); });

get("scrub").max = steps.length;
document.documentElement.style.setProperty("--split",
  `${(100 * computed.length) / Math.max(steps.length, 1)}%`);
data.levels.forEach(([label], k) => get("level").append(html("option", { value: k }, label)));
get("detail").hidden = data.levels.length < 2;
begin();
