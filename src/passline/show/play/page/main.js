/** The page: one state, from which the descent and every view follow; what a person does changes the state. */
import { makeArithmetic } from "./arithmetic.js";
import { programme, stepLines } from "./code.js";
import { makeControls } from "./controls.js";
import { makeCurve } from "./curve.js";
import { advance, begin, finite, lossAt } from "./descent.js";
import { set, unchanged } from "./dom.js";
import { makeEditor } from "./editor.js";
import { makeGuide, makeStory, STAGES } from "./guide.js";
import { makeLosses } from "./losses.js";
import { makePlane } from "./plane.js";
import { savePicture } from "./picture.js";
import { readBase } from "./own.js";
import { fromFragment, makeHistory, MOST_POINTS, MOST_STEPS, point, toFragment } from "./state.js";
import { drawExact, drawLegend, drawReading, drawTexts } from "./reading.js";
import { makeSurface } from "./surface.js";
import { exactAnswers, notices } from "./truth.js";
import { chooseLanguage, makeWords } from "./words.js";

// Of a frame's 16 ms, what the descent may take; less, where drawing takes so long that frames come late.
const BUDGET = 8;
const LEAST_BUDGET = 6;
const LATE = 18;
// A guided leap is shown in about so many frames.
const LEAP = 75;
const LINE_SHOWN = 110;

const byId = (id) => document.getElementById(id);
const calmly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const base = readBase(byId("table"));
const two = base.frameZ !== null;
const languages = makeWords(base.table);
const page = {
  state: fromFragment(location.hash, base),
  language: chooseLanguage(location.hash, navigator.language),
  languageAsked: /[#&]lang=/.test(location.hash),
  history: makeHistory(),
  run: null,
  answers: null,
  playing: false,
  pace: 20,
  budget: BUDGET,
  drawn: 0,
  leap: null,
  line: 0,
  views: [],
  frame: 0,
  tick: 0,
  arrived: false,
};

const act = {
  now: () => page.state,
  move(i, change, first) {
    const points = page.state.points.map((one, k) => (k === i ? Object.freeze({ ...one, ...change }) : one));
    edit({ points }, first);
  },
  add({ x, z, y }) {
    if (page.state.points.length < MOST_POINTS) edit({ points: [...page.state.points, point(x, y, z)] });
  },
  remove(i) {
    if (page.state.points.length > 1) edit({ points: page.state.points.filter((_, k) => k !== i) });
    else say(words().points.last);
  },
  drop: announce,
  points: (points) => edit({ points }),
  setting: (name, value) => edit({ settings: Object.freeze({ ...page.state.settings, [name]: value }) }),
  stage(n) {
    const before = page.state;
    page.history.keep(before);
    page.playing = false;
    page.state = { ...before, guide: n, ...STAGES[n] };
    const onwards =
      before.points === STAGES[n].points && before.settings === STAGES[n].settings && before.steps < STAGES[n].steps;
    if (!onwards) restart(0);
    leapTo(STAGES[n].steps);
  },
  play() {
    page.playing = !page.playing;
    page.leap = null;
    if (!page.playing) announce();
    schedule();
  },
  pace(n) {
    page.pace = n;
  },
  reset() {
    page.playing = false;
    edit({ steps: 0 });
  },
  undo() {
    const before = page.history.back();
    if (before === null) return;
    page.playing = false;
    page.state = { ...before, more: page.state.more };
    restart();
    announce();
  },
};

function words() {
  return languages[page.language];
}

/** Change what the descent follows from, and let it run anew for as many steps as before. */
function edit(change, keep = true) {
  if (keep) page.history.keep(page.state);
  page.state = { ...page.state, ...change };
  page.leap = null;
  restart();
  if (keep) announce();
}

function restart(steps = page.state.steps) {
  const { points, settings } = page.state;
  page.run = begin(points, settings);
  page.answers = exactAnswers(points, settings.ridge);
  page.state = { ...page.state, steps };
  advance(page.run, steps, 3 * BUDGET);
  schedule();
}

/** One step, as the button takes it; the five lines of PyTorch pass by. */
function stepOnce() {
  const { state, run } = page;
  if (!finite(run) || state.steps >= MOST_STEPS) return;
  page.history.keep(state);
  page.leap = null;
  // A descent that still catches up with its state takes the step when it arrives.
  if (run.step === state.steps) advance(run, 1);
  page.state = { ...state, steps: state.steps + 1, guide: state.guide === 1 ? 2 : state.guide };
  showLines();
  announce();
  schedule();
}

function leapTo(steps) {
  page.state = { ...page.state, steps };
  page.leap = calmly() ? null : { by: Math.ceil((steps - page.run.step) / LEAP) };
  if (calmly()) advance(page.run, steps - page.run.step);
  page.line = lines().length - 1;
  announce();
  schedule();
}

/** What a frame does: play, or catch up with the state; then draw. */
function onFrame(now) {
  page.frame = 0;
  const { run, state } = page;
  page.budget = Math.min(BUDGET, Math.max(LEAST_BUDGET, page.budget * (now - page.drawn > LATE ? 0.9 : 1.02)));
  page.drawn = now;
  if (page.playing) {
    const most = MOST_STEPS - run.step;
    if (page.pace === 0) advance(run, most, page.budget);
    else advance(run, Math.min(most, page.pace), page.budget);
    page.state = { ...state, steps: run.step, guide: state.guide === 1 ? 2 : state.guide };
    page.line = lines().length - 1;
    if (!finite(run) || run.step >= MOST_STEPS) {
      page.playing = false;
      announce();
    }
  } else if (run.step < state.steps && finite(run)) {
    advance(run, page.leap ? Math.min(page.leap.by, state.steps - run.step) : state.steps - run.step, BUDGET);
    if (run.step === state.steps) announce();
  } else if (run.step < state.steps) {
    page.state = { ...state, steps: run.step };
  }
  draw();
  if (page.playing || (run.step < page.state.steps && finite(run))) schedule();
  else remember();
}

function schedule() {
  if (page.frame === 0) page.frame = requestAnimationFrame(onFrame);
}

function lines() {
  return stepLines(page.state.settings, two);
}

function showLines() {
  clearTimeout(page.lineTimer);
  const last = lines().length - 1;
  page.line = calmly() ? last : 0;
  const on = () => {
    if (page.line >= last) return;
    page.line++;
    byId("line").textContent = lines()[page.line];
    page.lineTimer = setTimeout(on, LINE_SHOWN);
  };
  page.lineTimer = setTimeout(on, LINE_SHOWN);
}

function draw() {
  const { state, run, answers } = page;
  // The lesson's first screen says nothing of what is to come.
  const calm = base.table === null && !state.more && run.step === 0 && state.points === base.points;
  const view = {
    ...state,
    table: base.table,
    frame: base.frame,
    frameZ: base.frameZ,
    run,
    answers,
    words: words(),
    playing: page.playing,
    pace: page.pace,
    undoable: page.history.length,
    language: page.language,
    line: lines()[Math.min(page.line, lines().length - 1)],
    loss: lossAt(run, run),
    told: calm ? [] : notices(run, state.points, answers),
    ghosts: base.table !== null || state.more || state.guide === 4 || state.guide === 6,
    interval: state.more,
  };
  pauseOnceArrived(view.told.some(({ key }) => key === "converged"));
  page.tick++;
  for (const one of page.views) {
    if (one.shown && !one.shown(view)) continue;
    if (page.playing && one.every && page.tick % one.every) continue;
    if (one.same?.(one.of(view))) continue;
    one.draw(view);
  }
}

/** A view that is drawn anew only where what it shows has changed: `of(view)` lists that. */
function keyed(draw, of, more = {}) {
  return { draw, of, same: unchanged(), ...more };
}

/** Playing ends where a descent arrives; who presses Play again may go on. */
function pauseOnceArrived(arrived) {
  if (page.playing && arrived && !page.arrived) {
    page.playing = false;
    announce();
    schedule();
  }
  page.arrived = arrived;
}

/** Tell a screen reader where things stand; while it plays, nothing. */
function announce() {
  clearTimeout(page.sayTimer);
  page.sayTimer = setTimeout(() => {
    const read = (...ids) => ids.map((id) => byId(id).textContent.trim()).filter(Boolean).join(" ");
    const sentences = [read("flips-label", "flips", "flips-unit"), read("after"), read("falls"), read("notices")];
    say(sentences.filter(Boolean).map((text) => (/[.。]$/.test(text) ? text : `${text}.`)).join(" "));
  }, 400);
}

function say(text) {
  byId("said").textContent = text;
}

/** Keep the state in the address, once it rests. */
function remember() {
  clearTimeout(page.rememberTimer);
  page.rememberTimer = setTimeout(() => {
    const fragment = toFragment(page.state, base, page.languageAsked ? page.language : null);
    page.written = fragment;
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }, 250);
}

function onAddress() {
  const fragment = location.hash.slice(1);
  if (fragment === page.written) return;
  page.history.keep(page.state);
  page.state = fromFragment(fragment, base);
  page.language = chooseLanguage(fragment, navigator.language);
  page.playing = false;
  restart();
}

async function copyProgramme() {
  const text = programme(page.state);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Where a page may not write to the clipboard, the text is selected for the person to copy.
    getSelection().selectAllChildren(byId("programme"));
    return;
  }
  byId("copy").textContent = words().programme.copied;
  say(words().programme.copied);
}

function wire() {
  const guide = makeGuide(byId("guide"), act);
  const curve = (two ? makePlane : makeCurve)(byId("curve"), act);
  const more = { shown: ({ more: shown }) => shown };
  const losses = { shown: ({ more: shown, guide: at }) => shown || at >= 5 };
  page.views = [
    keyed(drawTexts, ({ words: said }) => [said]),
    { draw: drawReading },
    curve,
    keyed(drawLegend, (view) => [view.ghosts, view.interval, view.answers, view.words]),
    keyed(guide.draw, (view) => [view.guide, view.points, view.settings, view.words]),
    keyed(makeStory(byId("story"), guide.facts).draw, (view) => [view.words]),
    keyed(
      (view) => set(byId("losses-panel"), { hidden: !losses.shown(view) }),
      (view) => [losses.shown(view)],
    ),
    // While it plays, what costs more than it tells is drawn a few times a second.
    { ...makeLosses(byId("losses")), ...losses, every: 4 },
    { ...makeSurface(byId("surface")), ...more, every: 10 },
    { ...makeArithmetic(byId("arithmetic")), ...more, every: 10 },
    keyed(
      makeControls(byId("controls"), act).draw,
      (view) => [view.settings, view.playing, view.pace, view.undoable, view.words],
      more,
    ),
    keyed(makeEditor(byId("points"), act, two).draw, (view) => [view.points, view.words], more),
    keyed(drawExact, (view) => [view.answers, view.words], more),
    keyed(
      (view) => (byId("programme").textContent = programme(view)),
      (view) => [view.points, view.settings, view.steps],
      { ...more, every: 10 },
    ),
  ];
  byId("step").onclick = stepOnce;
  byId("more-button").onclick = () => {
    page.state = { ...page.state, more: !page.state.more };
    schedule();
  };
  byId("language").onclick = () => {
    page.language = page.language === "en" ? "zh" : "en";
    page.languageAsked = true;
    schedule();
  };
  byId("copy").onclick = copyProgramme;
  byId("picture").onclick = () => savePicture(curve.frame, "passline.png");
  addEventListener("hashchange", onAddress);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=text], input[type=number], textarea");
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && !typing) {
      event.preventDefault();
      act.undo();
    }
  });
}

wire();
restart();
if (page.state.steps > 0) page.line = lines().length - 1;
