/** Which language the page speaks: what its address says, else the browser's. */
import { english } from "./words.en.js";
import { englishPlane } from "./words.plane.en.js";
import { chinesePlane } from "./words.plane.zh.js";
import { chinese } from "./words.zh.js";

const LANGUAGES = ["en", "zh"];

/** "en" or "zh" from a fragment's `lang` and the browser's own language. */
export function chooseLanguage(fragment, preferred) {
  const asked = new URLSearchParams(fragment.replace(/^#/, "")).get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  return /^zh\b/i.test(preferred) ? "zh" : "en";
}

/** The words of each language, for the lesson (`table` null) or a table of one's own with one predictor or two. */
export function makeWords(table) {
  const words = { en: english(table), zh: chinese(table) };
  if (!table?.z) return words;
  return { en: over(words.en, englishPlane(table)), zh: over(words.zh, chinesePlane(table)) };
}

/** Words with others in their place where there are such, group by group. */
function over(words, others) {
  const grouped = Object.entries(others).map(([name, value]) =>
    typeof value === "object" ? [name, { ...words[name], ...value }] : [name, value],
  );
  return { ...words, ...Object.fromEntries(grouped) };
}
