// The layout of draw(), once more: boxes in boxes, each a layered drawing. A reader opens and closes
// groups in any combination, so that no layout could be sent along. The names are those of
// micrograd_nn/readers/layout, which explains; a test holds the two to the same coordinates.

const range = (n) => Array.from({ length: n }, (_, i) => i);
const lists = (n) => range(n).map(() => []);
const most = (numbers, least = -Infinity) => numbers.reduce((a, b) => Math.max(a, b), least);

function topological(count, arrows) {
  const targets = lists(count), waiting = Array(count).fill(0), order = [];
  for (const [source, target] of arrows) { targets[source].push(target); waiting[target]++; }
  const ready = range(count).reverse().filter((item) => !waiting[item]);
  while (ready.length) {
    const item = ready.pop();
    order.push(item);
    for (const target of targets[item]) if (!--waiting[target]) ready.push(target);
  }
  return order;
}

function lateRanks(count, arrows, lengths, first, last) {
  const targets = lists(count), rank = Array(count).fill(0), pinned = new Set(last);
  arrows.forEach(([source, target], k) => targets[source].push([target, lengths[k]]));
  for (const item of topological(count, arrows).reverse()) {
    if (pinned.has(item)) continue;
    const latest = targets[item].map(([target, length]) => rank[target] - length);
    rank[item] = latest.length ? Math.min(...latest) : last.length ? -1 : 0;
  }
  const front = Math.min(...rank) - 1;
  for (const item of first) rank[item] = front;
  return withoutGaps(rank);
}

function shorten(rank, arrows, lengths) {
  const before = lists(rank.length), after = lists(rank.length);
  arrows.forEach(([source, target], k) => {
    const length = Math.min(lengths[k], rank[target] - rank[source]);
    before[target].push([source, length]);
    after[source].push([target, length]);
  });
  const order = topological(rank.length, arrows)
    .filter((item) => before[item].length && after[item].length);
  for (let round = 0, moved = true; round < 8 && moved; round++) {
    moved = false;
    for (const item of order) {
      if (before[item].length === after[item].length) continue;
      const best = before[item].length > after[item].length
        ? Math.max(...before[item].map(([source, length]) => rank[source] + length))
        : Math.min(...after[item].map(([target, length]) => rank[target] - length));
      moved ||= best !== rank[item];
      rank[item] = best;
    }
  }
  return withoutGaps(rank);
}

function withoutGaps(rank) {
  const number = new Map([...new Set(rank)].sort((a, b) => a - b).map((r, k) => [r, k]));
  return rank.map((r) => number.get(r));
}

function orderLayers(rank, ups, downs, extent) {
  const layers = lists(most(rank, -1) + 1), seen = [], place = [];
  const stack = range(rank.length).reverse().filter((v) => !downs[v].length);
  while (stack.length) {
    const vertex = stack.pop();
    if (seen[vertex]) continue;
    seen[vertex] = true;
    layers[rank[vertex]].push(vertex);
    const above = [...ups[vertex]].sort((a, b) => a[2] - b[2]).reverse();
    for (const [w] of above) if (!seen[w]) stack.push(w);
  }
  const number = (layer) => layer.forEach((vertex, i) => { place[vertex] = i; });
  layers.forEach(number);
  let now = layers, best = layers, fewest = crossings(layers, downs, place), idle = 0;
  for (let sweep = 0; sweep < 10 && fewest && idle < 4; sweep++) {
    now = now.map((layer) => [...layer]);
    const forwards = sweep % 2 === 1, links = forwards ? ups : downs;
    for (const r of forwards ? range(now.length).slice(1) : range(now.length - 1).reverse()) {
      const wish = new Map();
      let above = -1;
      for (const vertex of now[r]) {
        if (links[vertex].length) {
          above = 0;
          for (const [w, leave, arrive] of links[vertex])
            above += place[w] + (forwards ? leave : arrive) / (extent[w] + 1);
          above /= links[vertex].length;
        }
        wish.set(vertex, above);
      }
      now[r].sort((a, b) => wish.get(a) - wish.get(b));
      number(now[r]);
    }
    const count = crossings(now, downs, place);
    idle = count < fewest ? 0 : idle + 1;
    if (count < fewest) { best = now; fewest = count; }
  }
  return best;
}

function crossings(layers, downs, place) {
  let total = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((vertex) =>
      downs[vertex].map(([w, leave, arrive]) => [leave, place[w], arrive])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]));
    const order = range(ends.length)
      .sort((i, j) => ends[i][1] - ends[j][1] || ends[i][2] - ends[j][2]);
    const index = [], tree = Array(ends.length + 1).fill(0);
    order.forEach((end, k) => {
      const other = ends[order[k - 1]];
      const same = k && other[1] === ends[end][1] && other[2] === ends[end][2];
      index[end] = same ? index[order[k - 1]] : k + 1;
    });
    index.forEach((end, seen) => {
      let before = 0;
      for (let i = end; i; i -= i & -i) before += tree[i];
      total += seen - before;
      for (let i = end; i < tree.length; i += i & -i) tree[i]++;
    });
  }
  return total;
}

function coordinates(layers, before, after, extent, gap) {
  const centre = Array(extent.length).fill(0);
  const offsets = layers.map((layer) => {
    const offset = [0];
    for (let i = 1; i < layer.length; i++) {
      const [a, b] = [layer[i - 1], layer[i]];
      offset.push(offset[i - 1] + (extent[a] + extent[b]) / 2 + Math.max(gap[a], gap[b]));
    }
    layer.forEach((vertex, i) => { centre[vertex] = offset[i] - offset[layer.length - 1] / 2; });
    return offset;
  });
  for (let sweep = 0; sweep < 16; sweep++) {
    const forwards = sweep % 2 === 0;
    const sides = sweep >= 2 ? [before, after] : [forwards ? before : after];
    for (const r of forwards ? range(layers.length) : range(layers.length).reverse()) {
      const pools = [];
      layers[r].forEach((vertex, i) => {
        let wish = 1e-3 * centre[vertex], weight = 1e-3, count = 1;
        for (const side of sides)
          for (const [other, shift, strength] of side[vertex]) {
            wish += strength * (centre[other] + shift);
            weight += strength;
          }
        wish = wish / weight - offsets[r][i];
        while (pools.length && pools[pools.length - 1][0] > wish) {
          const [w, t, c] = pools.pop();
          wish = (w * t + wish * weight) / (t + weight);
          weight += t;
          count += c;
        }
        pools.push([wish, weight, count]);
      });
      const wishes = pools.flatMap(([wish, , count]) => Array(count).fill(wish));
      layers[r].forEach((vertex, i) => { centre[vertex] = wishes[i] + offsets[r][i]; });
    }
  }
  return centre;
}

function arrange(items, legs, first, last) {
  if (!items.length) return { centres: [], routes: [], along: 0, across: 0 };
  const count = items.length, leaves = new Set(range(count));
  legs.forEach((leg) => leaves.delete(leg.target));
  first.forEach((item) => leaves.delete(item));
  const beside = new Set(legs.filter((leg) => leaves.has(leg.source)).map((leg) => leg.target));
  const arrows = legs.map((leg) => [leg.source, leg.target]);
  const lengths = legs.map((leg) => (items[leg.source].box && beside.has(leg.target) ? 2 : 1));
  let rank = lateRanks(count, arrows, lengths, first, last);
  if (!first.length && !last.length) rank = shorten(rank, arrows, lengths);
  const rankOf = [...rank], ups = lists(count), downs = lists(count), shared = new Map();
  const extent = items.map((item) => item.across), gap = items.map((item) => item.gap);
  const link = (upper, lower, leave, arrive) => {
    downs[upper].push([lower, leave, arrive]);
    ups[lower].push([upper, leave, arrive]);
  };
  const paths = legs.map((leg) => {
    const path = [];
    let at = leg.source, leave = leg.leave;
    for (let r = rank[leg.source] + 1; r < rank[leg.target]; r++) {
      const key = [leg.source, leg.leave, r].join();
      if (!shared.has(key)) {
        shared.set(key, rankOf.length);
        rankOf.push(r); extent.push(2); gap.push(7); ups.push([]); downs.push([]);
        link(at, rankOf.length - 1, leave, 0);
      }
      at = shared.get(key);
      leave = 0;
      path.push(at);
    }
    link(at, leg.target, leave, leg.arrive);
    return path;
  });
  const layers = orderLayers(rankOf, ups, downs, extent);
  const before = lists(rankOf.length), after = lists(rankOf.length);
  ups.forEach((links, lower) => {
    for (const [upper, leave, arrive] of links) {
      let strength = [1, 2, 8][(lower >= count) + (upper >= count)];
      if (leaves.has(upper) && downs[upper].length === 1) strength *= 0.02;
      const shift = leave - (lower < count && items[lower].box ? arrive : 0);
      before[lower].push([upper, shift, strength]);
      after[upper].push([lower, -shift, strength]);
    }
  });
  let centre = coordinates(layers, before, after, extent, gap);
  const top = -most(centre.map((c, v) => extent[v] / 2 - c));
  centre = centre.map((c) => c - top);
  const least = layers.map(() => 34);
  if (first.length) least[0] = 16;
  if (last.length) least.splice(-2, 2, ...least.slice(-2).map(() => 16));
  for (const leg of legs) {
    const before = rank[leg.target] - 1;
    least[before] = Math.max(least[before], leg.room ? leg.room + 24 : 0);
  }
  let at = 0;
  const spans = layers.map((layer, r) => {
    const begin = at, end = at + most(layer.map((v) => (v < count ? items[v].along : 0)), 0);
    const steepest = most(layer.flatMap((v) => downs[v].map(([w, leave, arrive]) =>
      Math.abs(centre[w] + arrive - centre[v] - leave))), 0);
    const more = 0.1 * Math.max(0, steepest - 1.5 * least[r]);
    at = end + Math.max(least[r], Math.min(least[r] + more, 90));
    return [begin, end];
  });
  const begins = items.map((item, v) => {
    const [begin, end] = spans[rank[v]];
    return leaves.has(v) ? end - item.along : (begin + end - item.along) / 2;
  });
  const routes = legs.map((leg, k) => {
    const leave = centre[leg.source] + leg.leave, arrive = centre[leg.target] + leg.arrive;
    return tidy([
      [begins[leg.source] + items[leg.source].along, leave],
      [spans[rank[leg.source]][1], leave],
      ...paths[k].flatMap((lane) => spans[rankOf[lane]].map((side) => [side, centre[lane]])),
      [spans[rank[leg.target]][0] - leg.room, arrive],
      [spans[rank[leg.target]][0], arrive],
      [begins[leg.target], arrive],
    ]);
  });
  return {
    centres: items.map((item, v) => [begins[v] + item.along / 2, centre[v]]),
    routes,
    along: spans[spans.length - 1][1],
    across: most(centre.map((c, v) => c + extent[v] / 2)),
  };
}

function tidy(points) {
  const kept = [];
  for (const point of points) {
    const a = kept[kept.length - 1], b = kept[kept.length - 2];
    if (a && Math.abs(point[0] - a[0]) < 0.01 && Math.abs(point[1] - a[1]) < 0.01) continue;
    if (b && b[1] === a[1] && a[1] === point[1]) kept.pop();
    kept.push(point);
  }
  return kept;
}

// The edges that enter a group as one: the first source by "group,source", and where they arrive.
function bundles(edges, groups, homes, depth) {
  const targets = new Map(), alone = new Set(), alike = new Map(), firstOf = new Map();
  for (const edge of edges) {
    let outside = homes[edge.source], inside = homes[edge.target];
    while (outside !== inside)
      if (depth.get(outside) >= depth.get(inside)) outside = groups[outside].parent;
      else {
        const key = [inside, edge.source].join();
        if (!targets.has(key)) targets.set(key, [inside, edge.source, new Set()]);
        targets.get(key)[2].add(edge.target);
        if (edge.room) alone.add(key);
        inside = groups[inside].parent;
      }
  }
  for (const [key, [g, source, found]] of targets) {
    if (alone.has(key)) continue;
    const kind = [g, ...[...found].sort((a, b) => a - b)].join();
    if (!alike.has(kind)) alike.set(kind, [g, []]);
    alike.get(kind)[1].push(source);
  }
  for (const [g, sources] of alike.values())
    if (sources.length >= 8) for (const source of sources) firstOf.set([g, source].join(), sources[0]);
  const slots = new Map();
  for (const edge of edges) {
    const first = firstOf.get([homes[edge.target], edge.source].join());
    const end = [edge.target, first].join();
    if (first !== undefined) slots.set(end, [...(slots.get(end) ?? []), edge.slot]);
  }
  const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return [firstOf, new Map([...slots].map(([end, found]) => [end, mean(found)]))];
}

// sizes: [width, height] of each card; edges: {source, target, slot, room}; groups: {parent, label};
// homes: the group of each card, −1 for none.
function layout(sizes, edges, groups, homes, direction) {
  const sideways = direction === "LR", n = sizes.length;
  const flow = sizes.map(([w, h]) => (sideways ? [w, h] : [h, w]));
  const parent = [...homes, ...groups.map((group) => group.parent)];
  const frame = new Map(range(groups.length + 1).map((g) => [g - 1, {
    children: [], legs: new Map(), index: new Map(), ports: new Map(), corners: [],
  }]));
  parent.forEach((g, entity) => frame.get(g).children.push(entity));
  const depth = new Map([[-1, 0]]);
  groups.forEach((group, g) => depth.set(g, depth.get(group.parent) + 1));
  const [bundle, slots] = bundles(edges, groups, homes, depth);
  const entering = (g, source) => bundle.get([g, source].join()) ?? source;
  const end = (entity, side, edge) => entity < n ? ["at", entity, -1]
    : [side, entity - n, side === "in" ? entering(entity - n, edge.source) : edge.source];
  const legFrom = (start, target, edge) => target < n
    ? { start, end: ["at", target, -1], room: edge.room,
      slot: slots.get([target, bundle.get([parent[target], edge.source].join())].join()) ?? edge.slot }
    : { start, end: end(target, "in", edge), slot: 0, room: 0 };
  const legsOf = edges.map((edge) => {
    let a = edge.source, b = edge.target, left = parent[a], entered = parent[b];
    const outwards = [], inwards = [];
    while (left !== entered) {
      if (depth.get(left) >= depth.get(entered)) {
        outwards.push([left, { start: end(a, "out", edge), end: ["out", -1, edge.source],
          slot: 0, room: 0 }]);
        a = n + left;
        left = groups[left].parent;
      } else {
        inwards.push([entered, legFrom(["in", -1, entering(entered, edge.source)], b, edge)]);
        b = n + entered;
        entered = groups[entered].parent;
      }
    }
    const legs = [...outwards, [left, legFrom(end(a, "out", edge), b, edge)], ...inwards.reverse()];
    return legs.map(([g, leg]) => {
      const key = [leg.start, leg.end, leg.slot, leg.room].join();
      if (!frame.get(g).legs.has(key)) frame.get(g).legs.set(key, leg);
      return [g, key];
    });
  });
  for (const g of range(groups.length + 1).reverse().map((k) => k - 1)) arrangeGroup(g);

  function arrangeGroup(g) {
    const self = frame.get(g), items = [], offset = new Map(), borders = { in: [], out: [] };
    for (const entity of self.children) {
      self.index.set(["at", entity, -1].join(), items.length);
      if (entity < n) {
        items.push({ along: flow[entity][0], across: flow[entity][1], gap: 12, box: false });
        continue;
      }
      const inner = frame.get(entity - n);
      for (const [[side, source], at] of inner.ports.values()) {
        const key = [side, entity - n, source].join();
        self.index.set(key, items.length);
        offset.set(key, at);
      }
      items.push({ along: inner.along, across: inner.across, gap: 18, box: true });
    }
    const border = new Map();
    for (const leg of self.legs.values())
      for (const at of [leg.start, leg.end])
        if (at[0] !== "at" && at[1] === -1 && !self.index.has(at.join())) {
          self.index.set(at.join(), items.length);
          border.set(at.join(), at);
          borders[at[0]].push(items.length);
          items.push({ along: 0, across: 2, gap: 5, box: false });
        }
    const legs = [...self.legs.values()].map((leg) => {
      const source = self.index.get(leg.start.join()), target = self.index.get(leg.end.join());
      return {
        source, target, room: leg.room, leave: offset.get(leg.start.join()) ?? 0,
        arrive: leg.end[0] === "at" ? leg.slot * items[target].across
          : offset.get(leg.end.join()) ?? 0,
      };
    });
    const inside = arrange(items, legs, borders.in, borders.out);
    let before = 0, above = 0;
    self.along = inside.along;
    self.across = inside.across;
    if (g >= 0) {
      before = 14 + (sideways ? 0 : 20);
      above = 14 + (sideways ? 20 : 0);
      self.along += before + 14;
      self.across += above + 14;
      const width = groups[g].label + 28;
      if (sideways && self.along < width) {
        before += (width - self.along) / 2;
        self.along = width;
      } else if (!sideways && self.across < width) {
        above += (width - self.across) / 2;
        self.across = width;
      }
    }
    self.corners = items.map((item, i) => [before + inside.centres[i][0] - item.along / 2,
      above + inside.centres[i][1] - item.across / 2]);
    for (const [key, at] of border)
      self.ports.set(key, [[at[0], at[2]],
        above + inside.centres[self.index.get(key)][1] - self.across / 2]);
    [...self.legs.values()].forEach((leg, k) => {
      leg.line = inside.routes[k].map(([x, y]) => [before + x, above + y]);
      if (leg.start[0] === "in" && leg.start[1] === -1) leg.line.unshift([0, leg.line[0][1]]);
      if (leg.end[0] === "out" && leg.end[1] === -1)
        leg.line.push([self.along, leg.line[leg.line.length - 1][1]]);
    });
  }

  const origin = new Map([[-1, [0, 0]]]), boxes = [];
  const box = ([x, y], [along, across]) => (sideways
    ? { x, y, width: along, height: across } : { x: y, y: x, width: across, height: along });
  for (const g of range(groups.length + 1).map((k) => k - 1)) {
    const self = frame.get(g), [x, y] = origin.get(g);
    self.children.forEach((entity, i) => {
      const at = [x + self.corners[i][0], y + self.corners[i][1]];
      const inner = entity < n ? null : frame.get(entity - n);
      if (inner) origin.set(entity - n, at);
      boxes[entity] = box(at, inner ? [inner.along, inner.across] : flow[entity]);
    });
  }
  const paths = legsOf.map((legs) => tidy(legs.flatMap(([g, key]) => {
    const [x, y] = origin.get(g);
    return frame.get(g).legs.get(key).line.map(([u, v]) => [u + x, v + y]);
  })).map(([x, y]) => (sideways ? [x, y] : [y, x])));
  const whole = box([0, 0], [frame.get(-1).along, frame.get(-1).across]);
  return { cards: boxes.slice(0, n), groups: boxes.slice(n), paths,
    width: whole.width, height: whole.height };
}

// A line of points as a smooth path that runs along the flow at each point.
function smooth(path, direction) {
  const n = (x) => +x.toFixed(1), across = direction === "LR";
  let text = `M${n(path[0][0])} ${n(path[0][1])}`;
  for (let i = 1; i < path.length; i++) {
    const [[x, y], [u, v]] = [path[i - 1], path[i]];
    if (Math.abs(across ? y - v : x - u) < 0.05) text += `L${n(u)} ${n(v)}`;
    else if (across) text += `C${n((x + u) / 2)} ${n(y)} ${n((x + u) / 2)} ${n(v)} ${n(u)} ${n(v)}`;
    else text += `C${n(x)} ${n((y + v) / 2)} ${n(u)} ${n((y + v) / 2)} ${n(u)} ${n(v)}`;
  }
  return text;
}
