/** How elements are made, set and measured: text is always text, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes, listeners (functions under on...) and children; text becomes text. */
export function html(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

/** Set attributes; null or false takes one away. */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node[name] = value;
    else if (value === null || value === false || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

/** Replace a node's text where it differs; words between backticks become code. */
export function write(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(...text.split("`").map((part, i) => (i % 2 ? html("code", {}, part) : part)));
}

/** A linear scale from [a, b] to [c, d], and back with `.invert`. */
export function linear([a, b], [c, d]) {
  const scale = (value) => c + ((value - a) / (b - a)) * (d - c);
  scale.invert = (value) => a + ((value - c) / (d - c)) * (b - a);
  return scale;
}

/** A text cut to so many characters. */
export function cut(text, longest) {
  const signs = [...text];
  return signs.length > longest ? `${signs.slice(0, longest - 1).join("")}…` : text;
}

// From here on a number is written with its power of ten: it would be zeros that nobody counts.
const LONG = 1e9;

/** A number for reading: so many significant digits, true minus signs, no trailing zeros. */
export function figure(number, digits = 4) {
  if (number === null || !Number.isFinite(number)) return number > 0 ? "∞" : number < 0 ? "−∞" : "–";
  const rounded = Number(number.toPrecision(digits));
  const text = Math.abs(rounded) < LONG ? String(rounded) : rounded.toExponential().replace("+", "");
  return text.replaceAll("-", "−");
}

/** A number with so many decimals, as the lesson prints losses and probabilities. */
export function decimals(number, places = 4) {
  if (!Number.isFinite(number)) return figure(number);
  if (number !== 0 && Math.abs(number) < 0.5 * 10 ** -places) return number.toExponential(2).replaceAll("-", "−");
  return (Math.abs(number) < 1e6 ? number.toFixed(places) : number.toExponential(places).replace("+", "")).replaceAll("-", "−");
}

/** A whole number with separators: 10,000. */
export function whole(number) {
  return number.toLocaleString("en-GB");
}

/** A function that says whether the list it is given is, item by item, the one it was given before. */
export function unchanged() {
  let before = null;
  return (now) => {
    const same = before !== null && now.every((item, i) => item === before[i]);
    before = now;
    return same;
  };
}

/** Call `draw` with a picture's width at once and whenever it changes. */
export function onWidth(node, draw) {
  new ResizeObserver(() => draw(Math.max(240, Math.round(node.clientWidth)))).observe(node);
}

function furnish(node, attributes, children) {
  set(node, attributes);
  node.append(...children);
  return node;
}
