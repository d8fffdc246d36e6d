// One load: where its rows went, when its steps ran, what was rejected and why. Live while it runs.

import { ask } from "../ask.js";
import { attemptsCard } from "../attempts.js";
import { ways } from "../backfill.js";
import { timeline } from "../charts/timeline.js";
import { trendCards } from "../charts/trend.js";
import { waterfall } from "../charts/waterfall.js";
import { card, el, show, table } from "../dom.js";
import { addDays, count, duration, longDay, share } from "../format.js";
import { loadPath } from "../matrix.js";
import { notice, problem } from "../notices.js";
import { rejectsCard } from "../rejects.js";
import { badge, EXPLANATIONS } from "../states.js";

const main = document.querySelector("main");
const { dagId, period } = document.body.dataset;
const path = `dags/${encodeURIComponent(dagId)}/loads/${period}`;
const feedPath = `dags/${encodeURIComponent(dagId)}`;
const EACH = 1_500;
const live = el("div", { class: "live" });
let attempt = null; // the epoch and state that the page shows in full

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
    el("nav", { class: "pager", "aria-label": "Other days" }, el("a", { href: loadPath(dagId, addDays(period, -1)), class: "button" }, "← Day before"), el("a", { href: loadPath(dagId, addDays(period, 1)), class: "button" }, "Day after →")),
  );
}

function progress(load) {
  const { source } = load.rows;
  const reading = load.partitions.length === 0;
  const done = load.partitions.filter((part) => part.loaded_epoch !== null).length;
  const words = reading ? "Reading the workbook …" : `${count(load.rows_done)} of ${count(source)} rows, ${done} of ${load.partitions.length} partitions`;
  const bar = reading ? el("progress", { "aria-label": "Progress by rows" }) : el("progress", { "aria-label": "Progress by rows", max: Math.max(source, 1), value: load.rows_done });
  return el("section", { class: "card progress", "aria-label": "Progress" }, el("div", { class: "between" }, el("strong", { role: "status" }, words), el("span", { class: "quiet" }, `for ${duration(Math.round(load.running_seconds))}`)), bar);
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

const same = (total) => total.published !== null && Number(total.source) === Number(total.published) && total.source.replace(/\.?0+$/, "") === total.published.replace(/\.?0+$/, "");

function totals(load) {
  if (!load.totals.length) return el("p", { class: "quiet" }, "Control totals come with the reconciliation.");
  return table(
    "Control totals",
    [
      { name: "Measure", value: (total) => total.measure },
      { name: "Source", number: true, value: (total) => total.source },
      { name: "Published", number: true, value: (total) => total.published ?? "–" },
      { name: "", value: (total) => (total.published === null ? "" : same(total) ? el("span", { class: "badge published" }, "✓ equal") : el("span", { class: "badge failed" }, "✕ differ")) },
    ],
    load.totals,
  );
}

function older(load) {
  if (!load.published_epoch || load.state === "published") return null;
  return el("p", { class: "banner" }, `Readers of the fact table still see the rows of attempt ${load.published_epoch}.`);
}

function why(load) {
  const { error_message: message } = load.attempts[0];
  return message ? el("p", { class: `banner ${load.state}` }, message) : null;
}

function missing(answer) {
  const words = answer.expected ? "The schedule was due on this day, and the ledger has no load of it." : "The ledger has no load of this day, and the schedule expects none.";
  show(main, head(answer, answer.expected ? "missing" : null), notice("No load", el("p", null, words), ways(dagId, [period])));
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
    live,
    tiles(answer, load),
    el("div", { class: "two" }, card("Where the rows went", "rows", waterfall(load.rows)), card("Control totals", "totals", totals(load))),
    card("When each step ran", "steps", timeline(load)),
    rejects,
    trend,
    attemptsCard(load.attempts),
  );
  const found = await ask(`${feedPath}/trend`, { until: addDays(period, 30) });
  show(trend, trendCards(found, (day) => loadPath(dagId, day), period));
}

function drawRunning(answer) {
  const { load } = answer;
  show(live, progress(load));
  show(
    main,
    head(answer, load.state),
    older(load),
    live,
    el("div", { class: "two" }, card("Where the rows went", "rows", waterfall(load.rows)), card("Control totals", "totals", totals(load))),
    card("When each step ran", "steps", timeline(load)),
    attemptsCard(load.attempts),
  );
}

async function draw() {
  try {
    const answer = await ask(path);
    const { load } = answer;
    if (!load) missing(answer);
    else if (load.state === "running") drawRunning(answer);
    else if (attempt !== `${load.epoch} ${load.state}`) {
      show(live);
      await drawAll(answer);
    }
    attempt = load && `${load.epoch} ${load.state}`;
    setTimeout(draw, load?.state === "running" ? EACH : 10 * EACH);
  } catch (error) {
    show(main, el("h1", null, longDay(period)), problem(error, draw));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

await draw();
