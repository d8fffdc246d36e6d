// One feed: its days, and the trend of its last loads.

import { ask } from "../ask.js";
import { card, el, show } from "../dom.js";
import { isoOf } from "../format.js";
import { daysUpTo, legend, loadPath, matrix, pager } from "../matrix.js";
import { problem } from "../notices.js";
import { trendCards } from "../charts/trend.js";

const main = document.querySelector("main");
const { dagId } = document.body.dataset;
const last = new URL(window.location.href).searchParams.get("last") ?? isoOf(new Date());
const days = daysUpTo(last);
const here = `dags/${encodeURIComponent(dagId)}`;

async function draw() {
  try {
    const [calendar, trend] = await Promise.all([ask("calendar", { first: days[0], last, dag_id: dagId }), ask(`${here}/trend`)]);
    show(
      main,
      el(
        "header",
        { class: "head" },
        el("div", null, el("p", { class: "crumbs" }, el("a", { href: "./" }, "Loads")), el("h1", null, calendar.feeds[0]?.feed ?? dagId)),
        pager(days, calendar.today, here),
      ),
      el("section", { class: "card", "aria-label": "Calendar" }, matrix(calendar.feeds, days, calendar.today), legend()),
      trendCards(trend, (period) => loadPath(dagId, period)),
    );
  } catch (error) {
    show(main, el("h1", null, dagId), problem(error, draw));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

await draw();
