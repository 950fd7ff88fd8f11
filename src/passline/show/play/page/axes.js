/** The axes of a picture: figures along them, lines across it, and what they measure. */
import { cut, figure, svg } from "./dom.js";

// What stands along an axis has that much room, in characters.
const LONGEST = 36;

/** Nodes for the scales x and y with ticks at `across` and `up`; `names` are [below, beside]; `lines` across or none. */
export function axes({ x, y, width, height, margin, across, up, names, lines = true }) {
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const nodes = [];
  for (const at of across) {
    if (lines) nodes.push(svg("line", { x1: x(at), x2: x(at), y1: margin.top, y2: bottom }));
    nodes.push(svg("text", { x: x(at), y: bottom + 17, "text-anchor": "middle" }, figure(at, 6)));
  }
  for (const at of up) {
    if (lines) nodes.push(svg("line", { x1: margin.left, x2: right, y1: y(at), y2: y(at) }));
    nodes.push(svg("text", { x: margin.left - 8, y: y(at) + 4, "text-anchor": "end" }, figure(at, 6)));
  }
  const beside = `translate(13 ${(bottom + margin.top) / 2}) rotate(-90)`;
  nodes.push(
    svg("text", { class: "axis", x: right, y: height - 7, "text-anchor": "end" }, cut(names[0], LONGEST)),
    svg("text", { class: "axis", transform: beside, "text-anchor": "middle" }, cut(names[1], LONGEST)),
  );
  return nodes;
}
