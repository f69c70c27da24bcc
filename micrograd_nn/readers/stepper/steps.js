// The steps: first each computed node, then the seed, then each term of the chain rule.

const graph = get("graph");
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
  step.total ??= step.before === null ? step.value : step.before + step.value;
  gradients.set(step.input, step.total);
}
for (const n of gradients.keys()) nodes[n].hasGradient = true;
const name = (n) => nodes[n].label, top = name(root);
const isNumber = (q) => typeof q === "number";

function gradientsAt(count) {
  const found = new Map();
  for (const step of steps.slice(0, count))
    if (step.kind === "seed") found.set(root, quantity(data.seed));
    else if (step.kind === "backward") found.set(step.input, step.total);
  return found;
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
