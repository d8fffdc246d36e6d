// One load: where its rows went, when its steps ran, what was rejected and why. Live while it runs.

import { ask } from "../ask.js";
import { attemptsCard } from "../attempts.js";
import { speeds } from "../charts/speeds.js";
import { partitionTable, timeline } from "../charts/timeline.js";
import { trendCards } from "../charts/trend.js";
import { waterfall } from "../charts/waterfall.js";
import { card, el, show } from "../dom.js";
import { feedPath, loadPath } from "../feed_row.js";
import { addDays } from "../format.js";
import { explained, head, headOf, older, released, tiles, undone, why } from "../load_head.js";
import { nextSteps } from "../next_steps.js";
import { problem } from "../notices.js";
import { progressCard } from "../progress.js";
import { rejectsCard } from "../rejects.js";
import { rowByRowCard } from "../row_by_row.js";
import { keepShowing, silence } from "../stale.js";
import { areLong, totalsCard } from "../totals.js";
import { altered, shownState, verified } from "../verified.js";
import { dryRunCard, stateWithout, withoutLoad } from "../without.js";
import { workbookCard } from "../workbook.js";

/** @import { DayAnswer, Load, LoadAnswer, Trend } from "../answers.js" */

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const { dagId = "", period = "" } = document.body.dataset;
const page = { dagId, period };
const path = loadPath(dagId, period);
const LIVE = 1_500; // between two looks at a load that runs, in milliseconds
const AWAITED = 3_000; // at one that isn't there yet, or that somebody is asked about
const ENDED = 15_000; // at one that may run again
let shown = ""; // what the page shows now: the attempt and its state, and the run
let failure = ""; // what is said in its place
let follow = (/** @type {Load} */ _) => {}; // brings the page of a running load up to date

/** @param {Load} load */
function speedsOf(load) {
  const chart = speeds(load);
  return chart ? [el("h3", null, "Rows per second, partition by partition"), chart] : null;
}

/** @param {LoadAnswer} answer */
async function drawAll(answer) {
  const { load } = answer;
  const trend = el("div", { class: "slot" });
  const several =
    load.attempts[0].sources.length > 1 || new Set(load.partitions.map((part) => part.workbook)).size > 1;
  show(
    main,
    headOf(page, answer, shownState(load), explained(load)),
    altered(answer, load),
    why(load),
    released(answer, load),
    undone(load),
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
    const found = await ask(`${feedPath(dagId)}/trend`, { until: addDays(period, 30) });
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
    headOf(page, answer, state, state === "failed" ? "unopened" : state),
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
    headOf(page, answer, "running"),
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
    else if (failure !== error.message)
      show(main, head(page, dagId.replace(/^load_/, "")), problem(error, draw));
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
