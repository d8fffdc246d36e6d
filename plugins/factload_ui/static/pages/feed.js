// One feed: its days, and the trend of its last loads.

import { ask } from "../ask.js";
import { card, el, show } from "../dom.js";
import { addDays, isoOf, shortDay } from "../format.js";
import { daysUpTo, legend, loadPath, matrix } from "../matrix.js";
import { problem } from "../notices.js";
import { trendCards } from "../charts/trend.js";

const main = document.querySelector("main");
const { dagId } = document.body.dataset;
const last = new URL(window.location.href).searchParams.get("last") ?? isoOf(new Date());
const BESIDE = window.innerWidth < 600 ? 150 : 330;
const number = Math.max(7, Math.min(42, Math.floor((window.innerWidth - BESIDE) / 30)));
const days = daysUpTo(last, number);
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
        el(
          "nav",
          { class: "pager", "aria-label": "Days shown" },
          el("a", { href: `${here}?last=${addDays(last, -number)}`, class: "button" }, "← Earlier"),
          el("span", { class: "span" }, `${shortDay(days[0])} – ${shortDay(last)}`),
          last < calendar.today ? el("a", { href: `${here}?last=${addDays(last, number)}`, class: "button" }, "Later →") : null,
        ),
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
