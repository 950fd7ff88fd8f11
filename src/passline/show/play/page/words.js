/** Which language the page speaks: what its address says, else the browser's. */
import { english } from "./words.en.js";
import { chinese } from "./words.zh.js";

const LANGUAGES = ["en", "zh"];

/** "en" or "zh" from a fragment's `lang` and the browser's own language. */
export function chooseLanguage(fragment, preferred) {
  const asked = new URLSearchParams(fragment.replace(/^#/, "")).get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  return /^zh\b/i.test(preferred) ? "zh" : "en";
}

/** The words of each language, for the lesson (`table` null) or a table of one's own. */
export function makeWords(table) {
  return { en: english(table), zh: chinese(table) };
}
