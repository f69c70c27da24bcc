// The panel: what the present step does, in symbols and in numbers.

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
  const summed = !scalars && !isVjp && shape(step.value) !== shape(step.upstream)
    && step.local !== null && shape(step.local) === shape(step.upstream);
  const product = isVjp ? formula(step.form, word)
    : row(...(summed ? [sign("Σ")] : []), upstream(),
      sign(scalars || step.local === null ? "·" : "∘"), derivative());
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
    const rows = Array.isArray(value[2]) ? [html("dd", { class: "rows" }, matrix(value[2]))] : [];
    return [term, words, ...rows];
  }));
}
