// One feed: its days, and the trend of its last loads.

import { ask } from "../ask.js";
import { daysBeside, daysUpTo, onOtherRoom } from "../days.js";
import { el, show } from "../dom.js";
import { today } from "../format.js";
import { legend, loadPath, matrix, pager } from "../matrix.js";
import { problem } from "../notices.js";
import { trendCards } from "../charts/trend.js";

const main = document.querySelector("main");
const { dagId } = document.body.dataset;
const REFRESH = 15_000;
const last = new URL(window.location.href).searchParams.get("last") ?? today();
let days = daysUpTo(last);
const here = `dags/${encodeURIComponent(dagId)}`;
let before = ""; // the trend that the page shows
let board = null;
let failure = ""; // what is said in its place

function makeBoard(feeds) {
  const shown = daysBeside(feeds, days);
  const table = matrix(shown, today());
  const signs = el("div");
  const trend = el("div", { class: "slot" });
  show(
    main,
    el(
      "header",
      { class: "head" },
      el("div", null, el("p", { class: "crumbs" }, el("a", { href: "./" }, "Loads")), el("h1", null, feeds[0]?.feed ?? dagId)),
      pager(shown, today(), here),
    ),
    el("section", { class: "card", "aria-label": "Calendar" }, table.node, signs),
    trend,
  );
  return { table, signs, trend };
}

async function draw() {
  try {
    const [{ feeds }, trend] = await Promise.all([ask("calendar", { first: days[0], last, dag_id: dagId }), ask(`${here}/trend`)]);
    main.removeAttribute("aria-busy");
    board ??= makeBoard(feeds);
    show(board.signs, legend(feeds));
    board.table.update(feeds);
    const now = JSON.stringify(trend);
    if (now !== before) show(board.trend, trendCards(trend, (period) => loadPath(dagId, period)));
    before = now;
    failure = "";
  } catch (error) {
    main.removeAttribute("aria-busy");
    if (failure === error.message) return; // it stands there already
    failure = error.message;
    board = null;
    before = "";
    show(main, el("h1", null, dagId), problem(error, draw));
  }
}

onOtherRoom(() => {
  days = daysUpTo(last);
  board = null;
  before = "";
  draw();
});

async function follow() {
  if (!document.hidden) await draw();
  setTimeout(follow, REFRESH);
}

await follow();
