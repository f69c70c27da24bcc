// Numbers, names and formulas in MathML.

const SVG = "http://www.w3.org/2000/svg", MATH = "http://www.w3.org/1998/Math/MathML";

function element(space, tag, attributes = {}, ...children) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const html = (tag, attributes, ...children) => element(null, tag, attributes, ...children);
const svg = (tag, attributes, ...children) => element(SVG, tag, attributes, ...children);
const math = (tag, ...children) => element(MATH, tag, {}, ...children);
const sign = (text) => math("mo", text);
const row = (...children) => math("mrow", ...children);

// A number in a few significant digits, as readers/numbers.py writes it.
function number(x, digits = 4) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const plain = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const text = exponent < -4 || exponent >= digits
    ? `${plain(mantissa)}e${+exponent}` : plain(x.toPrecision(digits));
  return text.replaceAll("-", "−");
}

// Several quantities as one phrase. A quantity is a number, or [shape, range, rows] of an array.
function phrase(quantities) {
  if (quantities.length === 1)
    return typeof quantities[0] === "number" ? number(quantities[0]) : quantities[0][1];
  if (!quantities.length || quantities.some((q) => typeof q !== "number")) return "";
  if (quantities.length <= 3) return quantities.map((x) => number(x, 3)).join(", ");
  const least = Math.min(...quantities), largest = Math.max(...quantities);
  if (least === largest) return `all ${number(least)}`;
  return Number.isNaN(least) ? "NaN" : `${number(least, 3)} … ${number(largest, 3)}`;
}

function numeral(x, digits) {
  const [mantissa, exponent] = number(Math.abs(x), digits).split("e");
  const parts = [math("mn", mantissa)];
  if (exponent) parts.push(sign("·"), math("msup", math("mn", "10"), math("mn", exponent)));
  if (x < 0) parts.unshift(sign("−"));
  return parts.length === 1 ? parts[0] : row(...parts);
}

const bracketed = (x) => (x < 0 || number(x).includes("e")
  ? row(sign("("), numeral(x), sign(")")) : numeral(x));

// A label such as "w1[0.2]": w with the index 1, of unit 2 in layer 0.
function symbol(label) {
  const found = /^(\p{L}+)_?(\d*)(\[[\d.]+\])?(·\d+)?$/u.exec(label);
  if (!found) return math(/^\S+$/.test(label) ? "mi" : "mtext", label);
  const [, base, index, where = "", again = ""] = found;
  const name = math("mi", base), upper = math("mtext", where + again.replace("·", "′"));
  if (index && upper.textContent) return math("msubsup", name, math("mn", index), upper);
  if (index) return math("msub", name, math("mn", index));
  return upper.textContent ? math("msup", name, upper) : name;
}

const fraction = (above, below) =>
  math("mfrac", row(sign("∂"), symbol(above)), row(sign("∂"), symbol(below)));

// A formula such as "1 − {z}^2": word(place) gives what stands in each place.
function formula(template, word) {
  const tokens = template.match(/\{(?:\d+|z|g)\}|\p{L}+|[\d.]+|[^\s]/gu) ?? [];
  let at = 0;
  const sequence = (until) => {
    const parts = [];
    while (at < tokens.length && tokens[at] !== until) {
      const token = tokens[at++];
      if (token === "^") parts.push(math("msup", parts.pop() ?? row(), atom()));
      else if (token === "ᵀ") parts.push(math("msup", parts.pop() ?? row(), sign("⊤")));
      else if (token === "²") parts.push(math("msup", parts.pop() ?? row(), math("mn", "2")));
      else if (token === "√") parts.push(math("msqrt", atom()));
      else parts.push(single(token));
    }
    return parts;
  };
  const single = (token) => {
    if (token.startsWith("{")) return word(token.slice(1, -1), tokens[at]);
    if (/^\p{L}/u.test(token)) return math("mi", token);
    return math(/^\d/.test(token) ? "mn" : "mo", token);
  };
  const atom = () => {
    const token = tokens[at++] ?? "";
    if (token === "−") return row(sign("−"), atom());
    if (token !== "(") return single(token);
    const inside = row(...sequence(")"));
    at++;
    return inside;
  };
  return row(...sequence(null));
}

// One display of several lines, each [left, relation, right].
const lines = (...rows) => {
  const table = math("mtable", ...rows.map((cells) =>
    math("mtr", ...cells.map((cell) => math("mtd", cell)))));
  table.setAttribute("class", "lines");
  table.setAttribute("displaystyle", "true");
  const made = math("math", table);
  made.setAttribute("display", "block");
  return made;
};

const matrix = (rows) => {
  const table = math("mtable", ...rows.map((cells) =>
    math("mtr", ...cells.map((x) => math("mtd", numeral(+x, 3))))));
  const made = math("math", row(sign("["), table, sign("]")));
  made.setAttribute("display", "block");
  return made;
};
