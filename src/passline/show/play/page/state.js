/** The state that a page's address holds, and everything follows from: points, settings, steps; and the undoing of edits. */
import { hasTwo, LESSON } from "./descent.js";

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

/** One student: hours x, outcome y; with two predictors also the second, z. */
export function point(x, y, z) {
  return Object.freeze(z === undefined ? { x, y } : { x, z, y });
}

/** The page as it opens, on a base of points and settings. */
export function opening({ points, settings }) {
  return { points, settings, steps: 0, guide: 1, more: false };
}

/** The state as the fragment of an address, the shortest that says it. */
export function toFragment(state, base, language) {
  const fields = new URLSearchParams();
  const { settings } = state;
  if (!samePoints(state.points, base.points)) {
    fields.set("p", state.points.map(({ x, z, y }) => (z === undefined ? [x, y] : [x, z, y]).join(":")).join("_"));
  }
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
  const points = readPoints(fields.get("p") ?? "", hasTwo(base.points));
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

/**
 * Points from pasted text, one "hours, passed" a line, or two predictors and the outcome where there are `two`;
 * {points} or {wrong: {line, text}} at the first slip.
 */
export function readTable(text, two = false) {
  const points = [];
  const width = two ? 3 : 2;
  const lines = text.split(/\r\n|\r|\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const cells = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const numbers = cells.map((cell) => (cell === "" ? NaN : Number(cell)));
    const heading = cells.length === width && cells.every((cell) => !/^[-+.\d]/.test(cell));
    if (points.length === 0 && i === 0 && heading) continue;
    const read = cells.length === width ? checkedPoint(numbers) : null;
    if (read === null) return { wrong: { line: i + 1, text: line.trim().slice(0, 60) } };
    points.push(read);
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
  const same = ({ x, z, y }, other) => x === other.x && z === other.z && y === other.y;
  return a === b || (a.length === b.length && a.every((one, i) => same(one, b[i])));
}

/** A point of [x, y] or [x, z, y]; null where one of them is not a number in range, or the outcome not 0 or 1. */
function checkedPoint(numbers) {
  const [x, z] = numbers;
  const y = numbers.at(-1);
  const good = numbers.slice(0, -1).every((one) => Math.abs(one) <= LARGEST_HOURS) && (y === 0 || y === 1);
  return good ? point(x, y, numbers.length === 3 ? z : undefined) : null;
}

function readPoints(text, two) {
  if (text === "") return null;
  const points = text.split("_").map((one) => {
    const cells = one.split(":");
    const good = cells.length === (two ? 3 : 2) && cells.every((cell) => /^[-+.\de]+$/i.test(cell));
    return good ? checkedPoint(cells.map(Number)) : null;
  });
  return points.includes(null) || points.length > MOST_POINTS ? null : points;
}
