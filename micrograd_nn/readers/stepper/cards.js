// What is seen: cards for nodes and for closed groups, boxes around them, edges between.

const get = (id) => document.getElementById(id);
const data = JSON.parse(get("data").textContent);
const quantity = (q) => (typeof q === "string" ? +q : q);
const nodes = data.nodes.map(
  ([face, group, label, inputs, value, form]) => {
    const [kind, title, op, width, height] = data.faces[face];
    return { kind, title, op, width, height, group, label, inputs, value: quantity(value), form,
      users: [], isComputed: form !== undefined };
  });
nodes.forEach((node, n) => node.inputs.forEach((i) => nodes[i].users.push(n)));
const groups = data.groups.map(([parent, name, title, op, width, height, contents, label]) =>
  ({ parent, name, title, op, width, height, contents, label, kind: "layer", isGroup: true }));
const root = nodes.length - 1, sideways = data.direction === "LR";

// Where cards are few, edges have room for a local derivative.
const FEW = 60;
const isScalar = ([[n]]) => typeof nodes[n].value === "number";

// The outermost closed group that each group is in, or −1.
function shownAs(closed) {
  const found = [];
  groups.forEach((group, g) => {
    const above = group.parent >= 0 ? found[group.parent] : -1;
    found.push(above >= 0 ? above : closed.has(g) ? g : -1);
  });
  return found;
}

function countCards(closed) {
  const shown = shownAs(closed);
  const homes = nodes.map((node) => (node.group < 0 ? -1 : shown[node.group]));
  return homes.filter((home) => home < 0).length + new Set(homes.filter((h) => h >= 0)).size;
}

// The cards, the card of each node, the boxes and the wires for a set of closed groups.
function scene(closed) {
  const shown = shownAs(closed), cards = [], cardOf = [], ofGroup = new Map();
  nodes.forEach((node, n) => {
    const g = node.group < 0 ? -1 : shown[node.group];
    if (g < 0) {
      cardOf.push(cards.length);
      cards.push({ face: node, nodes: [n], outputs: [n], home: node.group, isRoot: n === root });
      return;
    }
    if (!ofGroup.has(g)) {
      ofGroup.set(g, cards.length);
      cards.push({ face: groups[g], group: g, nodes: [], home: groups[g].parent });
    }
    cardOf.push(ofGroup.get(g));
    cards[ofGroup.get(g)].nodes.push(n);
  });
  for (const [, i] of ofGroup) {
    cards[i].isRoot = cards[i].nodes.includes(root);
    cards[i].outputs = cards[i].nodes.filter((n) => nodes[n].isComputed
      && (n === root || nodes[n].users.some((user) => cardOf[user] !== i)));
  }
  const open = new Set();
  for (const card of cards)
    for (let g = card.home; g >= 0; g = groups[g].parent) open.add(g);
  const frames = [...open].sort((a, b) => a - b), numbered = new Map(frames.map((g, k) => [g, k]));
  return { cards, cardOf, frames, wires: wires(cards, cardOf),
    homes: cards.map((card) => numbered.get(card.home) ?? -1),
    parents: frames.map((g) => numbered.get(groups[g].parent) ?? -1) };
}

// The edges between cards: one per argument, or one for many between the same two.
function wires(cards, cardOf) {
  const found = [], factor = cards.length <= FEW && sideways ? 46 : 0;
  cards.forEach((card, target) => {
    const bundles = new Map();
    for (const n of card.nodes)
      nodes[n].inputs.forEach((i, argument) => {
        const source = cardOf[i];
        if (source === target) return;
        if (!bundles.has(source)) bundles.set(source, []);
        bundles.get(source).push([n, card.group === undefined ? argument : 0, argument]);
      });
    let arriving = [];
    for (const [source, uses] of bundles)
      if (card.group === undefined && uses.length <= 3)
        for (const use of uses) arriving.push({ source, order: use[1], uses: [use] });
      else arriving.push({ source, order: Math.min(...uses.map((use) => use[1])), uses });
    if (card.group === undefined) arriving = arriving.sort((a, b) => a.order - b.order);
    const isCrowded = arriving.length >= 8;
    arriving.forEach(({ source, uses }, k) => {
      const count = uses.length > 1 && !isCrowded ? `×${uses.length}` : "";
      const room = isCrowded ? 0 : count && sideways ? 7 * count.length + 14
        : isScalar(uses) ? factor : 0;
      const slot = ((k + 0.5) / arriving.length - 0.5) * 0.84;
      found.push({ source, target, uses, slot, room, count, isCrowded });
    });
  });
  return found;
}

// Cards of one kind in one box that are nearly as wide as each other become equally wide.
function place(scene) {
  const widest = new Map();
  const kind = (card) => [card.home, card.face.kind].join();
  for (const card of scene.cards)
    widest.set(kind(card), Math.max(widest.get(kind(card)) ?? 0, card.face.width));
  const sizes = scene.cards.map((card) => {
    const width = widest.get(kind(card));
    return [width < 1.25 * card.face.width ? width : card.face.width, card.face.height];
  });
  return layout(sizes, scene.wires,
    scene.frames.map((g, k) => ({ parent: scene.parents[k], label: groups[g].label })),
    scene.homes, data.direction);
}

const rect = (box, rx, className = "") => svg("rect",
  { x: box.x, y: box.y, width: box.width, height: box.height, rx, class: className });

function drawFrame(g, box, depth) {
  const group = groups[g], x = sideways ? box.x + 12 : box.x + box.width - 12 - group.label;
  const toggle = svg("g", { class: "toggle", role: "button", tabindex: 0, "aria-expanded": "true",
    "aria-label": `close ${group.name}`, "data-group": g },
  rect({ x: x - 4, y: box.y + 4, width: group.label + 8, height: 18 }, 5),
  svg("text", { class: "name", x, y: box.y + 17 }, `▾ ${group.name}`));
  return [svg("g", { class: `group level${depth % 3}` }, rect(box, 9)), toggle];
}

function drawCard(card, box) {
  const { face } = card, isGroup = card.group !== undefined, text = [];
  const write = (className, x, y, anchor, words) => {
    const made = svg("text", { class: className, x: box.x + x, y: box.y + y,
      "text-anchor": anchor }, words);
    text.push(made);
    return made;
  };
  const rows = data.show.filter((part) => (part === "shape" ? typeof face.value === "object"
    : part === "data" || isGroup || face.hasGradient));
  if (face.kind === "constant" || !(face.op || rows.length))
    write("title", box.width / 2, box.height / 2 + 4, "middle", face.title);
  else {
    const isSign = face.title.length <= 2 && !/^[\p{L}\d]+$/u.test(face.title);
    write(isSign ? "sign" : "title", 9, 18, "start", (isGroup ? "▸ " : "") + face.title);
    if (face.op) write("op", box.width - 9, 18, "end", face.op);
    let y = 19.5;
    if (isGroup) for (const line of face.contents) write("label", 9, y += 14, "start", line);
    card.words = {};
    for (const part of rows) {
      const label = write("label", 9, y += 14, "start", part);
      const value = write(part === "grad" ? "grad" : "value", box.width - 9, y, "end", "");
      card.words[part] = [label, value];
      if (part === "shape") value.append(face.value[0]);
    }
  }
  const attributes = isGroup
    ? { role: "button", "aria-expanded": "false", "data-group": card.group } : { role: "img" };
  card.title = svg("title", {});
  card.element = svg("g", { class: `card ${face.kind}${card.isRoot ? " root" : ""}`, tabindex: 0,
    ...attributes }, card.title);
  if (isGroup) card.element.append(rect({ ...box, x: box.x + 3, y: box.y + 3 }, 6));
  card.element.append(rect(box, face.kind === "constant" ? 11 : 6), ...text);
  card.box = box;
  return card.element;
}

function drawEdge(wire, path) {
  const made = svg("path", { class: "edge", d: smooth(path, data.direction) });
  if (!wire.isCrowded) made.setAttribute("marker-end", "url(#head)");
  wire.element = made;
  wire.end = path[path.length - 1];
  return made;
}

function drawCount(wire) {
  const [x, y] = wire.end;
  return svg("text", { class: "count", "text-anchor": "end", x: sideways ? x - 9 : x - 5,
    y: sideways ? y + (wire.slot <= 0 ? -5 : 12) : y - 9 }, wire.count);
}

// Draw a scene into an element; each card and wire knows its own element after that.
function draw(into, closed) {
  const shown = scene(closed), placed = place(shown), depth = [];
  shown.parents.forEach((parent) => depth.push(parent < 0 ? 0 : depth[parent] + 1));
  const frames = shown.frames.map((g, k) => drawFrame(g, placed.groups[k], depth[k]));
  const dense = shown.wires.length > 150 ? "edges dense" : "edges";
  into.replaceChildren(
    ...frames.map(([frame]) => frame),
    svg("g", { class: dense }, ...shown.wires.map((wire, k) => drawEdge(wire, placed.paths[k])),
      ...shown.wires.filter((wire) => wire.count).map(drawCount)),
    ...frames.map(([, toggle]) => toggle),
    ...shown.cards.map((card, i) => drawCard(card, placed.cards[i])),
    svg("text", { id: "factor", "text-anchor": "middle" }));
  shown.boxOf = new Map(shown.frames.map((g, k) => [g, placed.groups[k]]));
  for (const card of shown.cards) if (card.group !== undefined) shown.boxOf.set(card.group, card.box);
  shown.width = placed.width;
  shown.height = placed.height;
  shown.wireOf = new Map();
  for (const wire of shown.wires)
    for (const [n, , argument] of wire.uses) shown.wireOf.set(`${n},${argument}`, wire);
  return shown;
}
