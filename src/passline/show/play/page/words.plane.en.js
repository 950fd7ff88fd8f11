/** What the page says of two predictors, in English, in place of what it says of one. */
import { figure } from "./dom.js";

/** The words that differ; `table` holds the names, made plain. */
export function englishPlane(table) {
  const yes = `${table.outcome} = ${table.positive}`;
  const no = `${table.outcome} = ${table.negative}`;
  const line = (at) => lineOf(at, table);
  return {
    title: `Where does ${table.outcome} flip over ${table.x} and ${table.z}?`,
    own: {
      title: "Your table",
      text: () =>
        `The shading is the probability of ${yes}, the red line is where it is one half. The model begins with random ` +
        "parameters, and each Step moves them by the gradients of all rows; the dashed line is where an exact method ends at " +
        "once. Press Step, or open More and play.",
    },
    second: table.z,
    flipsAlong: "flips along the line",
    flat: "flips nowhere: the plane is flat",
    line,
    sides: ({ v, w, b }) => {
      if (v === 0) return `${yes} is the more probable where ${table.x} is ${w > 0 ? "above" : "below"} ${figure(-b / w)}.`;
      return `${yes} is the more probable ${v > 0 ? "above" : "below"} it.`;
    },
    at: (x, z, p) => `${table.x} ${figure(x)}, ${table.z} ${figure(z)}: probability ${p}`,
    pointer: "Point at the picture to read the probability there.",
    chart: (n) => `The probability of ${yes} over ${table.x} and ${table.z}, with ${n} row${n === 1 ? "" : "s"}`,
    where: ({ x, z, y }) => `${table.x} ${figure(x)}, ${table.z} ${figure(z)}, ${y ? yes : no}`,
    pointHelp:
      "Drag a point, or with the keyboard: the arrows move it, Enter or a double click flips its outcome, Delete removes it. " +
      "Drag one out of the picture to remove it; click into the picture to add one.",
    legend: {
      curve: "the model’s line",
      best: "exact answer (maximum likelihood)",
      firth: "Firth’s line",
      gap: "the gap: lines that part the outcomes disagree here",
    },
    exact: {
      best: (at) => `Exact answer: weights ${figure(at.w, 7)} and ${figure(at.v, 7)}, bias ${figure(at.b, 7)}; flips along ${line(at)}.`,
      firth: (at) =>
        `Under Jeffreys’ prior (Firth’s method) the weights are ${figure(at.w, 6)} and ${figure(at.v, 6)}, the bias ` +
        `${figure(at.b, 6)}, and it flips along ${line(at)}.`,
    },
    notices: {
      alike: () =>
        `All rows lie on one line of ${table.x} and ${table.z}: nothing tells what the one does from what the other does.`,
      complete: ({ w, v }) =>
        "The points are completely separated: a line parts the outcomes. So no weights are the best (now they are " +
        `${figure(w)} and ${figure(v)}): every steeper plane there has a smaller loss.`,
      quasi: ({ w, v }) =>
        "The points are quasi-separated: both outcomes meet only on one line. So no weights are the best (now they are " +
        `${figure(w)} and ${figure(v)}): every steeper plane there has a smaller loss.`,
      heading: ({ limit }) =>
        `With more epochs the weights would grow for ever, and the line ${line(limit)} is where this descent is heading, ever ` +
        "more slowly.",
      overlap: () => `The outcomes overlap: no line over ${table.x} and ${table.z} parts them.`,
      ridge: () => "The points are separated, but the penalty keeps the weights finite: there is one best line.",
    },
    surface: {
      heading: "The loss over the two weights, at this bias",
      second: `weight v of ${table.z}`,
      weight: `weight w of ${table.x}`,
      alt: (w, v) => `Contours of the loss over the two weights, with the path walked on it; now at w ${w}, v ${v}`,
    },
    arithmetic: { second: `${table.z}, z`, secondShare: "(p − y) z", secondShareMse: "… times z" },
    points: {
      second: table.z,
      secondOf: (i) => `${table.z} of row ${i}`,
      wrongSecond: `${table.z}: a number.`,
      paste: "Or paste a table: two numbers and 0 or 1, one row a line",
      wrong: ({ line: at, text }) =>
        `Line ${at}: “${text}” is not two numbers and 0 or 1. Write one row a line, such as 2.5, 4, 1.`,
    },
    programme: { picture: "Save the picture as PNG" },
  };
}

/** A line {w, v, b} as what the second predictor is along it, or the first where it stands upright. */
export function lineOf({ w, v, b }, { x, z }) {
  if (v === 0) return `${x} = ${figure(-b / w)}`;
  const slope = -w / v;
  const start = -b / v;
  if (slope === 0) return `${z} = ${figure(start)}`;
  const walked = `${figure(Math.abs(slope))} × ${x}`;
  // What rounding leaves of a line through zero is no figure.
  if (Math.abs(b) < 1e-13 * Math.max(Math.abs(v), Math.abs(w))) return `${z} = ${slope < 0 ? "−" : ""}${walked}`;
  return `${z} = ${figure(start)} ${slope < 0 ? "−" : "+"} ${walked}`;
}
