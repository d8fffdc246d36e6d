// The first page: feeds × days.

import { chosen } from "../address.js";
import { ask } from "../ask.js";
import { daysUpTo, onOtherRoom } from "../days.js";
import { el, show } from "../dom.js";
import { filters } from "../filters.js";
import { isDay, today } from "../format.js";
import { legend, matrix } from "../matrix.js";
import { notice, problem } from "../notices.js";
import { pager } from "../pager.js";
import { keepShowing, silence } from "../stale.js";
import { troubles } from "../troubles.js";

/** @import { Calendar, FeedDays } from "../answers.js" */

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const REFRESH = 15_000;
const last = isDay(chosen("last")) ? chosen("last") : today();
const days = daysUpTo(last);
/** @type {ReturnType<typeof makeBoard> | null} */
let board = null; // what shows the feeds, once there are some
let failure = ""; // what is said in their place

function none() {
  return notice(
    "There is no feed to show",
    el(
      "p",
      null,
      "A feed is a YAML file in include/feeds and becomes the DAG load_<feed>. Those whose DAG you may not read are left out.",
    ),
    el("p", null, "Write one, or ask for the right to read its DAG; docs/feeds.md has every field."),
  );
}

function makeBoard() {
  const table = matrix(days, today());
  const bar = filters(table.show);
  const signs = el("div");
  const above = el("div");
  show(
    main,
    el(
      "header",
      { class: "head" },
      el("div", null, el("h1", null, "Loads"), bar.node),
      pager(days, today(), "./"),
    ),
    above,
    el("section", { class: "card", "aria-label": "Calendar" }, table.node, signs),
  );
  let said = "";
  return {
    /** @param {FeedDays[]} found */
    update(found) {
      const { feeds, banners } = troubles(found);
      const now = banners.map((banner) => banner.textContent).join();
      if (now !== said) show(above, banners); // said once, not at every look
      said = now;
      bar.update(feeds, days.length);
      show(signs, legend(feeds));
      return table.update(feeds);
    },
  };
}

async function draw() {
  try {
    /** @type {Calendar} */
    const { feeds } = await ask("calendar", { first: days[0], last });
    silence(main);
    failure = "";
    if (!feeds.length) {
      board = null;
      show(main, el("h1", null, "Loads"), none());
    } else {
      board ??= makeBoard();
      await board.update(feeds);
    }
  } catch (/** @type {any} */ error) {
    if (board) keepShowing(main, error, draw);
    else if (failure !== error.message) show(main, el("h1", null, "Loads"), problem(error, draw));
    failure = error.message; // stands there already at the next look
  } finally {
    main.removeAttribute("aria-busy");
  }
}

onOtherRoom(() => {
  board = null;
  draw();
});

async function follow() {
  if (!document.hidden) await draw();
  setTimeout(follow, REFRESH);
}

await follow();
