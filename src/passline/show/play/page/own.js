/** What the page begins with: the lesson's three students, or the table of one's own that it carries. */
import { LESSON } from "./descent.js";
import { cut } from "./dom.js";
import { point, THREE } from "./state.js";

const LONGEST = 60;

/**
 * {table, points, settings, frame, frameZ}: the names (null for the lesson), where everything begins, what is shown of
 * the predictor, and of a second one (null where there is none).
 */
export function readBase(element) {
  if (element === null) return { table: null, points: THREE, settings: LESSON, frame: [0, 10], frameZ: null };
  const { names, x, z, y, rate } = JSON.parse(element.textContent);
  const shown = Object.entries(names).map(([name, text]) => [name, text === null ? null : plain(String(text))]);
  return {
    table: Object.fromEntries(shown),
    points: Object.freeze(x.map((one, i) => point(one, y[i], z?.[i]))),
    settings: Object.freeze({ ...LESSON, rate }),
    frame: withRoom(x),
    frameZ: z ? withRoom(z) : null,
  };
}

function withRoom(values) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const room = (high - low) / 20 || Math.abs(high) / 2 || 1;
  return [low - room, high + room];
}

/** A name as it can be shown in a sentence: not too long, and what would turn or hide the text written out. */
export function plain(name) {
  const escaped = (sign) => `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`;
  const visible = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped).replaceAll("`", "\u02cb");
  return cut(visible, LONGEST);
}
