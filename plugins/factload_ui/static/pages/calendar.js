// The first page: feeds × days.

import { ask } from "../ask.js";
import { daysBeside, daysUpTo, onOtherRoom } from "../days.js";
import { el, show } from "../dom.js";
import { filters } from "../filters.js";
import { today } from "../format.js";
import { legend, matrix, pager } from "../matrix.js";
import { notice, problem } from "../notices.js";

const main = document.querySelector("main");
const REFRESH = 15_000;
const last = new URL(window.location.href).searchParams.get("last") ?? today();
let days = daysUpTo(last);
let board = null; // what shows the feeds, once there are some
let failure = ""; // what is said in their place

function none() {
  return notice(
    "There is no feed to show",
    el("p", null, "A feed is a YAML file in include/feeds and becomes the DAG load_<feed>. Those whose DAG you may not read are left out."),
    el("p", null, "Write one, or ask for the right to read its DAG; docs/feeds.md has every field."),
  );
}

function makeBoard(feeds) {
  const shown = daysBeside(feeds, days);
  const table = matrix(shown, today());
  const bar = filters(table.show);
  const signs = el("div");
  show(
    main,
    el("header", { class: "head" }, el("div", null, el("h1", null, "Loads"), bar.node), pager(shown, today(), "./")),
    el("section", { class: "card", "aria-label": "Calendar" }, table.node, signs),
  );
  return {
    update(found) {
      bar.update(found);
      show(signs, legend(found));
      return table.update(found);
    },
  };
}

async function draw() {
  try {
    const { feeds } = await ask("calendar", { first: days[0], last });
    main.removeAttribute("aria-busy");
    if (!feeds.length) {
      board = null;
      show(main, el("h1", null, "Loads"), none());
    } else {
      board ??= makeBoard(feeds);
      await board.update(feeds);
    }
    failure = "";
  } catch (error) {
    main.removeAttribute("aria-busy");
    if (failure === error.message) return; // it stands there already
    failure = error.message;
    board = null;
    show(main, el("h1", null, "Loads"), problem(error, draw));
  }
}

onOtherRoom(() => {
  days = daysUpTo(last);
  board = null;
  draw();
});

async function follow() {
  if (!document.hidden) await draw();
  setTimeout(follow, REFRESH);
}

await follow();
