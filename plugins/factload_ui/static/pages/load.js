// One load: where its rows went, when its steps ran, what was rejected and why. Live while it runs.

import { airflowLink, runPath } from "../airflow.js";
import { ask } from "../ask.js";
import { attemptsCard } from "../attempts.js";
import { ways } from "../backfill.js";
import { speeds } from "../charts/speeds.js";
import { partitionTable, timeline } from "../charts/timeline.js";
import { trendCards } from "../charts/trend.js";
import { waterfall } from "../charts/waterfall.js";
import { card, el, prose, show, table } from "../dom.js";
import { addDays, count, decimal, duration, longDay, share, size } from "../format.js";
import { loadPath } from "../matrix.js";
import { nextSteps } from "../next_steps.js";
import { notice, problem } from "../notices.js";
import { rejectsCard } from "../rejects.js";
import { badge, EXPLANATIONS } from "../states.js";

const main = document.querySelector("main");
const { dagId, period } = document.body.dataset;
const path = `dags/${encodeURIComponent(dagId)}/loads/${period}`;
const feedPath = `dags/${encodeURIComponent(dagId)}`;
const LIVE = 1_500; // between two looks at a load that runs, in milliseconds
const AWAITED = 3_000; // at one that isn't there yet, or that somebody is asked about
const IDLE = 600; // seconds without a word after which a running load is worth a look
const ENDED = 15_000; // at one that may run again
let shown = null; // what the page shows now: the attempt and its state, and the run
let follow = () => {}; // brings the page of a running load up to date

function head(answer, state) {
  return el(
    "header",
    { class: "head" },
    el(
      "div",
      null,
      el("p", { class: "crumbs" }, el("a", { href: "./" }, "Loads"), " / ", el("a", { href: feedPath }, answer.feed)),
      el("h1", null, longDay(period), " ", state ? badge(state) : null),
      state ? el("p", { class: "summary" }, EXPLANATIONS[state]) : null,
    ),
    el("nav", { class: "pager", "aria-label": "Elsewhere" }, toRun(answer), el("a", { href: loadPath(dagId, addDays(period, -1)), class: "button" }, "← Day before"), el("a", { href: loadPath(dagId, addDays(period, 1)), class: "button" }, "Day after →")),
  );
}

// The run that was for this day, or the last of several: its tasks, its logs.
function toRun({ runs }) {
  return runs.length ? airflowLink(runPath(dagId, runs[0].run_id), { class: "button" }, "Run in Airflow") : null;
}

// Seconds since a step of the newest attempt ended, or since it was opened.
function idle(load) {
  const last = Math.max(...load.steps.map((step) => Date.parse(step.finished_at)), Date.parse(load.attempts[0].opened_at));
  return load.running_seconds - (last - Date.parse(load.attempts[0].opened_at)) / 1000;
}

// The progress by rows; the function that comes with it brings it up to date, without taking anybody's focus.
function progressCard() {
  const words = el("strong", { role: "status" });
  const since = el("span", { class: "quiet" });
  const bar = el("progress", { "aria-label": "Progress by rows" });
  const quiet = el("p", { class: "proof", hidden: true }, "No step has ended for ten minutes. See what its run does: ", airflowLink(feedPath, null, "open the DAG"), ".");
  const update = (load) => {
    const done = load.partitions.filter((part) => part.loaded_epoch !== null).length;
    const reading = load.partitions.length === 0;
    const all = !reading && done === load.partitions.length;
    const staged = `${count(load.rows_done)} of ${count(load.rows.source)} rows, ${done} of ${load.partitions.length} partitions`;
    const next = reading ? "Reading the workbook …" : all ? `${staged}; reconciling and publishing …` : staged;
    if (words.textContent !== next) words.textContent = next;
    quiet.hidden = idle(load) < IDLE;
    since.textContent = `for ${duration(Math.round(load.running_seconds))}`;
    if (reading) bar.removeAttribute("value");
    else Object.assign(bar, { max: Math.max(load.rows.source, 1), value: load.rows_done });
  };
  return [el("section", { class: "card progress", "aria-label": "Progress" }, el("div", { class: "between" }, words, since), bar, quiet), update];
}

function tile(name, value, more) {
  return el("div", { class: "tile" }, el("dt", null, name), el("dd", null, value, more ? el("small", null, more) : null));
}

function tiles(answer, load) {
  const { source, rejected, published } = load.rows;
  return el(
    "dl",
    { class: "tiles" },
    tile("Source rows", count(source)),
    tile("Published", count(published), `into ${answer.table}`),
    tile("Rejected", count(rejected), `${share(source ? rejected / source : null)}, allowed ${answer.max_rejects}`),
    tile("Took", duration(load.seconds), `attempt ${load.epoch}`),
  );
}

// Both are exact decimals of the same scale; trailing zeros don't count.
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const same = (total) => trimmed(total.source) === trimmed(total.published);

function totals(load) {
  if (!load.totals.length) return el("p", { class: "quiet" }, load.state === "running" ? "Control totals come with the reconciliation." : "The load ended before its reconciliation.");
  return table(
    "The sum of each measure, before and after",
    [
      { name: "Measure", value: (total) => total.measure },
      { name: "Source", number: true, value: (total) => decimal(total.source) },
      { name: "Published", number: true, value: (total) => (total.published === null ? "–" : decimal(total.published)) },
      { name: "Agreement", unseen: true, value: (total) => (total.published === null ? "" : same(total) ? el("span", { class: "badge published" }, "✓ equal") : el("span", { class: "badge failed" }, "✕ differ")) },
    ],
    load.totals,
  );
}

// What was read, and where it went: beside the totals.
function origin(answer, load) {
  const [{ workbook, workbook_bytes: bytes, workbook_sha256: sha256 }] = load.attempts;
  const facts = [["Workbook", workbook.split("/").at(-1)], ["Size", size(bytes)], ["SHA-256", el("code", { title: sha256 }, `${sha256.slice(0, 16)} …`)], ["Table", answer.table]];
  return el("dl", { class: "facts" }, facts.map(([name, value]) => [el("dt", null, name), el("dd", null, value)]));
}

function speedsOf(load) {
  const chart = speeds(load);
  return chart ? [el("h3", null, "Rows per second, partition by partition"), chart] : null;
}

function older(load) {
  if (!load.published_epoch || load.state === "published") return null;
  return el("p", { class: "banner" }, `Readers of the fact table still see the rows of attempt ${load.published_epoch}.`);
}

function why(load) {
  const { error_message: message } = load.attempts[0];
  return message ? el("p", { class: `banner ${load.state}` }, prose(message)) : null;
}

// What became of a day without a load: Airflow alone knows.
function stateWithout({ runs, expected }) {
  if (runs.some((run) => ["queued", "running"].includes(run.state))) return "waiting";
  if (runs.length) return runs[0].state === "failed" ? "failed" : "skipped";
  return expected ? "missing" : null;
}

const WITHOUT = {
  waiting: "A run of this day is at work. It opens the load when it finds its workbook.",
  failed: "The run of this day failed before it opened a load: see the log of its task open_load. Its last line says what to do.",
  skipped: "The run of this day found nothing to load: see the log of its task open_load.",
  missing: "The schedule was due on this day, and the ledger has no load of it.",
};

function drawWithout(answer) {
  const state = stateWithout(answer);
  const words = WITHOUT[state] ?? "The ledger has no load of this day, and the schedule expects none.";
  const offer = state === "waiting" || state === "skipped" ? null : ways(dagId, answer.gaps, answer.workbook);
  show(main, head(answer, state), notice("No load", el("p", null, words), offer));
}

async function drawAll(answer) {
  const { load } = answer;
  const rejects = rejectsCard(path);
  const trend = el("div", { class: "slot" });
  show(
    main,
    head(answer, load.state),
    why(load),
    older(load),
    nextSteps(answer, dagId),
    tiles(answer, load),
    el("div", { class: "two" }, card("Where the rows went", "rows", waterfall(load.rows)), card("Control totals", "totals", totals(load), origin(answer, load))),
    card("When each step ran", "steps", timeline(load), speedsOf(load), partitionTable(load)),
    rejects,
    trend,
    attemptsCard(load.attempts),
  );
  const found = await ask(`${feedPath}/trend`, { until: addDays(period, 30) });
  show(trend, trendCards(found, (day) => loadPath(dagId, day), period));
}

function drawRunning(answer) {
  const [progress, update] = progressCard();
  const rows = el("div");
  const steps = el("div");
  show(main, head(answer, "running"), older(answer.load), progress, card("Where the rows went", "rows", rows), card("When each step ran", "steps", steps), attemptsCard(answer.load.attempts));
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

async function draw() {
  let wait = ENDED;
  try {
    const answer = await ask(path);
    const { load } = answer;
    const [run] = answer.runs;
    const now = `${load ? `${load.epoch} ${load.state}` : "none"} ${run?.run_id} ${load ? run?.asks : run?.state}`;
    const running = load?.state === "running";
    const awaited = !load || run?.asks || run?.state === "queued";
    if (now !== shown) {
      if (!load) drawWithout(answer);
      else if (running) drawRunning(answer);
      else await drawAll(answer);
      shown = now;
    }
    if (running) follow(load);
    wait = running ? LIVE : awaited ? AWAITED : ENDED;
  } catch (error) {
    shown = null;
    show(main, el("h1", null, longDay(period)), problem(error));
  } finally {
    main.removeAttribute("aria-busy");
  }
  setTimeout(draw, wait);
}

await draw();
