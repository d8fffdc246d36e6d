// One feed: its days, and the trend of its last loads.

import { chosen } from "../address.js";
import { ask } from "../ask.js";
import { trendCards } from "../charts/trend.js";
import { daysUpTo, onOtherRoom } from "../days.js";
import { el, show } from "../dom.js";
import { feedPath, loadPath } from "../feed_row.js";
import { isDay, today } from "../format.js";
import { freshness } from "../fresh.js";
import { legend, matrix } from "../matrix.js";
import { monthsCard } from "../months.js";
import { problem } from "../notices.js";
import { pager } from "../pager.js";
import { keepShowing, silence } from "../stale.js";

/** @import { Calendar, FeedDays, Month, Trend } from "../answers.js" */

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const { dagId = "" } = document.body.dataset;
const REFRESH = 15_000;
const last = isDay(chosen("last")) ? chosen("last") : today();
const days = daysUpTo(last);
const here = feedPath(dagId);
let before = ""; // the trend that the page shows
/** @type {ReturnType<typeof makeBoard> | null} */
let board = null;
let failure = ""; // what is said in its place

/** @param {string} name */
const title = (name) =>
  el("div", null, el("p", { class: "crumbs" }, el("a", { href: "./" }, "Loads")), el("h1", null, name));

/** @param {FeedDays[]} feeds */
function makeBoard(feeds) {
  const table = matrix(days, today());
  const fresh = el("div");
  const signs = el("div");
  const months = el("div");
  const trend = el("div", { class: "slot" });
  show(
    main,
    el(
      "header",
      { class: "head" },
      el("div", null, title(feeds[0]?.feed ?? dagId), fresh),
      pager(days, today(), here),
    ),
    el("section", { class: "card", "aria-label": "Calendar" }, table.node, signs),
    months,
    trend,
  );
  return { table, fresh, signs, months, trend };
}

async function draw() {
  try {
    /** @type {[Calendar, Trend, Month[]]} */
    const [{ feeds }, trend, months] = await Promise.all([
      ask("calendar", { first: days[0], last, dag_id: dagId }),
      ask(`${here}/trend`),
      ask(`${here}/months`),
    ]);
    silence(main);
    failure = "";
    board ??= makeBoard(feeds);
    show(board.fresh, feeds[0]?.fresh && feeds[0].first ? freshness(feeds[0].fresh) : null);
    show(board.signs, legend(feeds));
    board.table.update(feeds);
    const now = JSON.stringify([trend, months]);
    if (now !== before) {
      show(board.months, monthsCard(months));
      show(
        board.trend,
        trendCards(trend, (period) => loadPath(dagId, period)),
      );
    }
    before = now;
  } catch (/** @type {any} */ error) {
    if (board) keepShowing(main, error, draw);
    else if (failure !== error.message)
      show(main, el("header", { class: "head" }, title(dagId.replace(/^load_/, ""))), problem(error, draw));
    failure = error.message; // stands there already at the next look
  } finally {
    main.removeAttribute("aria-busy");
  }
}

onOtherRoom(() => {
  board = null;
  before = "";
  draw();
});

async function follow() {
  if (!document.hidden) await draw();
  setTimeout(follow, REFRESH);
}

await follow();
