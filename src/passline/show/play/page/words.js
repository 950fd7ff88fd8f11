/** Which language the page speaks: what its address says, else the browser's. */
import { EN } from "./words.en.js";
import { ZH } from "./words.zh.js";

const WORDS = { en: EN, zh: ZH };

/** "en" or "zh" from a fragment's `lang` and the browser's own language. */
export function chooseLanguage(fragment, preferred) {
  const asked = new URLSearchParams(fragment.replace(/^#/, "")).get("lang");
  if (asked in WORDS) return asked;
  return /^zh\b/i.test(preferred) ? "zh" : "en";
}

/** The words of a language. */
export function wordsOf(language) {
  return WORDS[language];
}
