// The first page: feeds × days.

import { ask } from "../ask.js";
import { el, show } from "../dom.js";
import { isoOf, plural } from "../format.js";
import { daysUpTo, legend, matrix, pager } from "../matrix.js";
import { notice, problem } from "../notices.js";

const main = document.querySelector("main");
const REFRESH = 15_000;
const last = new URL(window.location.href).searchParams.get("last") ?? isoOf(new Date());
const days = daysUpTo(last);

function summary(feeds) {
  const gaps = feeds.reduce((sum, feed) => sum + (feed.missing?.length ?? 0), 0);
  const states = feeds.flatMap((feed) => feed.days ?? []).map((day) => day.state);
  const number = (...wanted) => states.filter((state) => wanted.includes(state)).length;
  const parts = [
    plural(feeds.length, "feed"),
    number("running") && `${number("running")} running`,
    gaps && plural(gaps, "day") + " missing",
    number("held") && `${number("held")} held`,
    number("failed", "refused", "stalled") && `${number("failed", "refused", "stalled")} failed`,
  ].filter(Boolean);
  return el("p", { class: "summary", id: "summary" }, parts.join(" · "));
}

function none() {
  return notice(
    "There is no feed to show",
    el("p", null, "A feed is a YAML file in include/feeds and becomes the DAG load_<feed>. Those whose DAG you may not read are left out."),
    el("p", null, "Write one, or ask for the right to read its DAG; docs/feeds.md has every field."),
  );
}

let shown = ""; // the answer that the page shows

async function draw() {
  let answer;
  try {
    answer = await ask("calendar", { first: days[0], last });
  } catch (error) {
    shown = "";
    show(main, el("h1", null, "Loads"), problem(error, draw));
    return;
  } finally {
    main.removeAttribute("aria-busy");
  }
  const now = JSON.stringify(answer);
  if (now === shown || document.activeElement?.closest("table.matrix, dialog[open]")) return; // or somebody is at work in it
  shown = now;
  const { feeds, today } = answer;
  show(
    main,
    el("header", { class: "head" }, el("div", null, el("h1", null, "Loads"), feeds.length ? summary(feeds) : null), pager(days, today, "./")),
    feeds.length ? [el("section", { class: "card", "aria-label": "Calendar" }, matrix(feeds, days, today), legend())] : none(),
  );
}

await draw();
setInterval(() => document.hidden || draw(), REFRESH);
