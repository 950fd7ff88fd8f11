/** The state that a page's address holds, and everything follows from: points, settings, steps; and the undoing of edits. */
import { LESSON } from "./descent.js";

export const THREE = Object.freeze([point(1, 0), point(2, 0), point(3, 1)]);
const STUDY = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5];
const RESULT = "00000010101010111111";
export const TWENTY = Object.freeze(STUDY.map((x, i) => point(x, Number(RESULT[i]))));

export const CHOICES = Object.freeze({
  reduction: ["sum", "mean"],
  loss: ["bce", "mse"],
  optimizer: ["sgd", "momentum", "adam"],
});
export const MOST_POINTS = 1000;
export const MOST_STEPS = 10_000_000;
export const LARGEST_HOURS = 1e30;

/** One student: hours x, outcome y. */
export function point(x, y) {
  return Object.freeze({ x, y });
}

/** The page as it opens, on a base of points and settings. */
export function opening({ points, settings }) {
  return { points, settings, steps: 0, guide: 1, more: false };
}

/** The state as the fragment of an address, the shortest that says it. */
export function toFragment(state, base, language) {
  const fields = new URLSearchParams();
  const { settings } = state;
  if (!samePoints(state.points, base.points)) fields.set("p", state.points.map(({ x, y }) => `${x}:${y}`).join("_"));
  for (const [name, usual] of Object.entries(base.settings)) {
    if (settings[name] !== usual) fields.set(name, String(settings[name]));
  }
  if (state.steps) fields.set("steps", String(state.steps));
  if (state.guide !== 1) fields.set("guide", String(state.guide));
  if (state.more) fields.set("more", "1");
  if (language) fields.set("lang", language);
  return fields.toString();
}

/** The state of a fragment; what it does not say, or says wrongly, is as the page opens. */
export function fromFragment(fragment, base) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = opening(base);
  const points = readPoints(fields.get("p") ?? "");
  const settings = { ...base.settings };
  for (const name of Object.keys(LESSON)) {
    const value = fields.get(name);
    if (value !== null) settings[name] = checkedSetting(name, value) ?? settings[name];
  }
  const count = (name, most) => Math.min(most, Math.max(0, Math.trunc(Number(fields.get(name))) || 0));
  return {
    ...state,
    points: points ?? state.points,
    settings: Object.freeze(settings),
    steps: count("steps", MOST_STEPS),
    guide: Math.max(1, count("guide", 6)),
    more: fields.get("more") === "1",
  };
}

/** A setting from its text; null where it is out of range. */
export function checkedSetting(name, text) {
  if (name in CHOICES) return CHOICES[name].includes(text) ? text : null;
  if (name === "clear") return text === "true" ? true : text === "false" ? false : null;
  const number = text.trim() === "" ? NaN : Number(text);
  if (name === "rate") return number > 0 && number <= 1e30 ? number : null;
  if (name === "ridge") return number >= 0 && number <= 1e30 ? number : null;
  const most = name === "seed" ? Number.MAX_SAFE_INTEGER : MOST_POINTS;
  return Number.isInteger(number) && number >= 0 && number <= most ? number : null;
}

/** Points from pasted text, one "hours, passed" a line; {points} or {wrong: {line, text}} at the first slip. */
export function readTable(text) {
  const points = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const cells = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const [x, y] = cells.map((cell) => (cell === "" ? NaN : Number(cell)));
    if (points.length === 0 && i === 0 && cells.length === 2 && cells.every((cell) => !/^[-+.\d]/.test(cell))) continue;
    const good = cells.length === 2 && Math.abs(x) <= LARGEST_HOURS && (y === 0 || y === 1);
    if (!good) return { wrong: { line: i + 1, text: line.trim().slice(0, 60) } };
    points.push(point(x, y));
    if (points.length > MOST_POINTS) return { wrong: { line: i + 1, text: `> ${MOST_POINTS}` } };
  }
  return points.length ? { points } : { wrong: { line: 1, text: "" } };
}

/** A history of states: `keep` before an edit, `back` gives the last one kept. */
export function makeHistory(most = 200) {
  const kept = [];
  return {
    keep(state) {
      kept.push(state);
      if (kept.length > most) kept.shift();
    },
    back: () => kept.pop() ?? null,
    get length() {
      return kept.length;
    },
  };
}

function samePoints(a, b) {
  return a === b || (a.length === b.length && a.every(({ x, y }, i) => x === b[i].x && y === b[i].y));
}

function readPoints(text) {
  if (text === "") return null;
  const points = text.split("_").map((one) => {
    const [x, y, ...rest] = one.split(":");
    const good = rest.length === 0 && /^[-+.\de]+$/i.test(x) && Math.abs(Number(x)) <= LARGEST_HOURS;
    return good && (y === "0" || y === "1") ? point(Number(x), Number(y)) : null;
  });
  return points.includes(null) || points.length > MOST_POINTS ? null : points;
}
