// One load: where its rows went, when its steps ran, what was rejected and why. Live while it runs.

import { airflowLink, runPath } from "../airflow.js";
import { ask } from "../ask.js";
import { attemptsCard } from "../attempts.js";
import { speeds } from "../charts/speeds.js";
import { partitionTable, timeline } from "../charts/timeline.js";
import { trendCards } from "../charts/trend.js";
import { waterfall } from "../charts/waterfall.js";
import { card, el, prose, show } from "../dom.js";
import { addDays, count, duration, longDay, moment, share } from "../format.js";
import { limitOf } from "../limits.js";
import { loadPath } from "../matrix.js";
import { nextSteps } from "../next_steps.js";
import { problem } from "../notices.js";
import { progressCard } from "../progress.js";
import { rejectsCard } from "../rejects.js";
import { rowByRowCard } from "../row_by_row.js";
import { keepShowing, silence } from "../stale.js";
import { badge, EXPLANATIONS } from "../states.js";
import { areLong, totalsCard } from "../totals.js";
import { altered, shownState, verified } from "../verified.js";
import { dryRunCard, stateWithout, withoutLoad } from "../without.js";
import { workbookCard } from "../workbook.js";

/** @import { DayAnswer, Load, LoadAnswer, Trend } from "../answers.js" */
/** @import { Child } from "../elements.js" */

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const { dagId = "", period = "" } = document.body.dataset;
const path = `dags/${encodeURIComponent(dagId)}/loads/${period}`;
const feedPath = `dags/${encodeURIComponent(dagId)}`;
const LIVE = 1_500; // between two looks at a load that runs, in milliseconds
const AWAITED = 3_000; // at one that isn't there yet, or that somebody is asked about
const ENDED = 15_000; // at one that may run again
let shown = ""; // what the page shows now: the attempt and its state, and the run
let failure = ""; // what is said in its place
let follow = (/** @type {Load} */ _) => {}; // brings the page of a running load up to date

/**
 * @param {string} feed
 * @param {string | null} [state]
 * @param {Child} [words]
 * @param {Child} [elsewhere]
 */
function head(feed, state, words, elsewhere) {
  return el(
    "header",
    { class: "head" },
    el(
      "div",
      null,
      el(
        "p",
        { class: "crumbs" },
        el("a", { href: "./" }, "Loads"),
        " / ",
        el("a", { href: feedPath }, feed),
      ),
      el("h1", null, longDay(period), " ", state ? badge(state) : null),
      words ? el("p", { class: "summary" }, words) : null,
    ),
    el(
      "nav",
      { class: "pager", "aria-label": "Elsewhere" },
      elsewhere,
      el("a", { href: loadPath(dagId, addDays(period, -1)), class: "button" }, "← Day before"),
      el("a", { href: loadPath(dagId, addDays(period, 1)), class: "button" }, "Day after →"),
    ),
  );
}

/** @type {(answer: DayAnswer, state: string | null, explained?: string | null) => HTMLElement} */
const headOf = (answer, state, explained = state) =>
  head(answer.feed, state, EXPLANATIONS[explained ?? ""], toRun(answer));

// The run that was for this day, or the last of several: its tasks, its logs.
/** @param {DayAnswer} answer */
function toRun({ runs }) {
  return runs.length
    ? airflowLink(runPath(dagId, runs[0].run_id), { class: "button" }, "Run in Airflow")
    : null;
}

/**
 * @param {string} name
 * @param {Child} value
 * @param {string} [more]
 */
function tile(name, value, more) {
  return el(
    "div",
    { class: "tile" },
    el("dt", null, name),
    el("dd", null, value, more ? el("small", null, more) : null),
  );
}

/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
function tiles(answer, load) {
  const { source, rejected, published } = load.rows;
  const waited = load.paused ? `, and waited ${duration(load.paused)}` : "";
  return el(
    "dl",
    { class: "tiles" },
    tile("Source rows", count(source)),
    tile("Published", count(published), `into ${answer.table}${verified(load)}`),
    tile(
      "Rejected",
      count(rejected),
      `${share(source ? rejected / source : null)}, allowed ${answer.max_rejects}`,
    ),
    tile("Took", duration(load.seconds), `attempt ${load.epoch}${waited}`),
  );
}

/** @param {Load} load */
function speedsOf(load) {
  const chart = speeds(load);
  return chart ? [el("h3", null, "Rows per second, partition by partition"), chart] : null;
}

/** @param {Load} load */
function older(load) {
  if (!load.published_epoch || ["published", "released"].includes(load.state)) return null;
  return el(
    "p",
    { class: "banner" },
    `Readers of the fact table still see the rows of attempt ${load.published_epoch}.`,
  );
}

// Who let a held load be published, and why, is the first thing about it.
/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
function released(answer, load) {
  const [{ released_by: who, released_at: when, release_reason: reason }] = load.attempts;
  if (!who) return null;
  return el(
    "section",
    { class: "banner held", "aria-label": "Release" },
    el("strong", null, `Released by ${who}, ${moment(when)}: `),
    reason,
    el("br"),
    limitOf(load)?.since,
    `${count(load.rows.rejected)} of ${count(load.rows.source)} rows were rejected; the feed allows ${answer.max_rejects}.`,
  );
}

/** @param {Load} load */
function why(load) {
  const { error_message: message } = load.attempts[0];
  return message && load.state !== "released"
    ? el("p", { class: `banner ${load.state}` }, prose(message))
    : null;
}

// Which sentence explains the state.
/** @param {Load} load */
function explained(load) {
  if (load.gone) return "gone";
  if (shownState(load) === "altered") return "altered";
  const limit = limitOf(load);
  return limit && ["held", "released"].includes(load.state) ? `${load.state}${limit.name}` : load.state;
}

/** @param {LoadAnswer} answer */
async function drawAll(answer) {
  const { load } = answer;
  const trend = el("div", { class: "slot" });
  const several =
    load.attempts[0].sources.length > 1 || new Set(load.partitions.map((part) => part.workbook)).size > 1;
  show(
    main,
    headOf(answer, shownState(load), explained(load)),
    altered(answer, load),
    why(load),
    released(answer, load),
    older(load),
    dryRunCard(answer, dagId),
    nextSteps(answer, dagId, draw),
    theWorkbook(answer),
    load.comparable ? rowByRowCard(path, answer) : null,
    tiles(answer, load),
    el(
      "div",
      { class: areLong(load) ? "one" : "two" },
      card("Where the rows went", "rows", waterfall(load.rows)),
      totalsCard(answer, load),
    ),
    card("When each step ran", "steps", timeline(load), speedsOf(load), partitionTable(load)),
    rejectsCard(path, several),
    trend,
    attemptsCard(load),
  );
  await drawTrend(trend);
}

// The rest of the page is right without it.
/** @param {HTMLElement} place */
async function drawTrend(place) {
  try {
    /** @type {Trend} */
    const found = await ask(`${feedPath}/trend`, { until: addDays(period, 30) });
    show(
      place,
      trendCards(found, (day) => loadPath(dagId, day), period),
    );
  } catch (/** @type {any} */ error) {
    show(
      place,
      card(
        "The last loads",
        "trend",
        el("p", { class: "message" }, error.message),
        el("button", { type: "button", onclick: () => drawTrend(place) }, "Try again"),
      ),
    );
  }
}

/** @param {DayAnswer} answer */
function drawWithout(answer) {
  const state = stateWithout(answer);
  show(
    main,
    headOf(answer, state, state === "failed" ? "unopened" : state),
    withoutLoad(answer, dagId),
    theWorkbook(answer),
    dryRunCard(answer, dagId),
  );
}

/** @param {LoadAnswer} answer */
function drawRunning(answer) {
  const [progress, update] = progressCard(dagId);
  const rows = el("div");
  const steps = el("div");
  show(
    main,
    headOf(answer, "running"),
    older(answer.load),
    progress,
    card("Where the rows went", "rows", rows),
    card("When each step ran", "steps", steps),
    attemptsCard(answer.load),
  );
  let before = "";
  follow = (load) => {
    update(load);
    const now = JSON.stringify([load.rows, load.rows_done, load.steps.length]);
    if (now === before) return;
    before = now;
    show(rows, waterfall(load.rows));
    show(steps, timeline(load));
  };
}

// What the page has to be drawn anew for.
/** @param {DayAnswer} answer */
function standing({ load, runs }) {
  const [run] = runs;
  return JSON.stringify([
    load && [load.epoch, load.state, load.comparable, verified(load)],
    run && [
      run.run_id,
      run.at_work,
      run.asks,
      load ? null : run.state,
      run.waits,
      Boolean(run.report),
      run.decision,
    ],
  ]);
}

async function draw() {
  let wait = ENDED;
  try {
    /** @type {DayAnswer} */
    const answer = await ask(path);
    const { load } = answer;
    const [run] = answer.runs;
    const running = load?.state === "running";
    silence(main);
    failure = "";
    const now = standing(answer);
    if (now !== shown) {
      shown = now;
      if (!load) drawWithout(answer);
      else if (running) drawRunning({ ...answer, load });
      else await drawAll({ ...answer, load });
    }
    if (load && running) follow(load);
    wait = running
      ? LIVE
      : !load || load.state === "reconciled" || run?.asks || run?.at_work
        ? AWAITED
        : ENDED;
  } catch (/** @type {any} */ error) {
    if (shown) keepShowing(main, error, draw);
    else if (failure !== error.message) show(main, head(dagId.replace(/^load_/, "")), problem(error, draw));
    failure = error.message; // stands there already at the next look
  } finally {
    main.removeAttribute("aria-busy");
  }
  clearTimeout(waiting);
  waiting = setTimeout(draw, wait);
}

let waiting = 0;
const workbook = workbookCard({ path, dagId, period, started: () => draw() });

// The same card at each drawing: what a person has chosen in it stays.
/** @param {DayAnswer} answer */
function theWorkbook(answer) {
  workbook.update(answer);
  return answer.may_trigger && !answer.to_come ? workbook.node : null;
}

await draw();
