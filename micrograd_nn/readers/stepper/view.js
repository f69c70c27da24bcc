// Zoom and pan: which part of the drawing is seen.

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

// A view of that size around a box, with no more than a margin beyond what is drawn.
function around(box, width, height) {
  const within = (at, size, whole) => (whole + 2 * MARGIN <= size ? (whole - size) / 2
    : Math.max(-MARGIN, Math.min(at - size / 2, whole + MARGIN - size)));
  return [within(box.x + box.width / 2, width, shown.width),
    within(box.y + box.height / 2, height, shown.height), width, height];
}

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
