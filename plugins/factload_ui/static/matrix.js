// Feeds × days: a table whose cells are links to the loads. One stop of the Tab key; the arrows go from day to day.

import { backfillButton } from "./backfill.js";
import { el, spoken } from "./dom.js";
import { addDays, asDate, count, longDay, month, shortDay } from "./format.js";
import { sign, STATES } from "./states.js";

export const loadPath = (dagId, period) => `dags/${encodeURIComponent(dagId)}/loads/${period}`;
const feedPath = (dagId) => `dags/${encodeURIComponent(dagId)}`;

const NARROW = window.innerWidth < 600; // no room for a column beside the days
const DAY = 30;
const BESIDE = NARROW ? 140 : 330; // the feed's name, and the column of the gaps

// As many days as there is room for, up to `last`.
export function daysUpTo(last) {
  const number = Math.max(7, Math.min(42, Math.floor((window.innerWidth - BESIDE) / DAY)));
  return Array.from({ length: number }, (_, index) => addDays(last, index - number + 1));
}

const weekend = (day) => [0, 6].includes(asDate(day).getUTCDay());

function monthHeads(days) {
  const heads = [];
  for (const day of days) {
    const name = month(day);
    if (heads.at(-1)?.name === name) heads.at(-1).span += 1;
    else heads.push({ name, span: 1 });
  }
  // A month of a day or two has no room for its name.
  return heads.map(({ name, span }) => el("th", { colspan: span, scope: "colgroup", class: "month" }, span > 3 ? name : spoken(name)));
}

function sentence(feed, day, state, load) {
  const about = `${feed}, ${longDay(day)}: ${STATES[state].name}`;
  if (!load) return about;
  const rows = load.state === "published" ? `${count(load.published)} rows` : "";
  const rejected = load.rejected ? `${count(load.rejected)} rejected` : "";
  const older = load.published_epoch && load.state !== "published" ? "an earlier attempt's rows are published" : "";
  return [about, rows, rejected, older].filter(Boolean).join(", ");
}

function cell(feed, dagId, day, load, missing) {
  const state = load?.state ?? (missing ? "missing" : null);
  if (!state) return el("td", { class: "none" }, el("span", { class: "sign none" }, spoken("no load")));
  const words = sentence(feed, day, state, load);
  return el("td", null, el("a", { href: loadPath(dagId, day), class: "day", tabindex: "-1", "aria-label": words, title: words }, sign(state)));
}

function row(entry, days) {
  const loads = new Map((entry.days ?? []).map((load) => [load.period, load]));
  const missing = new Set(entry.missing ?? []);
  const name = el("th", { scope: "row", class: "feed" }, el("a", { href: feedPath(entry.dag_id) }, entry.feed));
  if (entry.problem) {
    return el("tr", null, name, el("td", { colspan: days.length + 1, class: "trouble" }, entry.problem.message));
  }
  const gap = missing.size ? backfillButton(entry.feed, entry.dag_id, [...missing].sort()) : entry.first ? "" : el("span", { class: "quiet" }, "no load yet");
  const cells = days.map((day) => cell(entry.feed, entry.dag_id, day, loads.get(day), missing.has(day)));
  if (!NARROW) return el("tr", null, name, cells, el("td", { class: "gaps" }, gap));
  return [el("tr", null, name, cells), gap ? el("tr", null, el("td"), el("td", { colspan: days.length, class: "gaps" }, gap)) : null];
}

// The arrows, Home and End lead from link to link, whichever of them has the focus.
function moveFocus(event) {
  const link = event.target.closest("a.day");
  if (!link) return;
  const here = link.closest("td");
  const line = here.parentElement;
  const inLine = [...line.querySelectorAll("a.day")];
  const lines = [...line.parentElement.rows];
  const vertical = (step) => {
    for (let next = lines.indexOf(line) + step; lines[next]; next += step) {
      const found = lines[next].cells[here.cellIndex]?.querySelector("a.day");
      if (found) return found;
    }
    return null;
  };
  const target = {
    ArrowRight: () => inLine[inLine.indexOf(link) + 1],
    ArrowLeft: () => inLine[inLine.indexOf(link) - 1],
    ArrowDown: () => vertical(1),
    ArrowUp: () => vertical(-1),
    Home: () => inLine[0],
    End: () => inLine.at(-1),
  }[event.key]?.();
  if (!target) return;
  event.preventDefault();
  link.tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}

export function matrix(feeds, days, today) {
  const found = el(
    "table",
    { class: "matrix", onkeydown: moveFocus },
    el("caption", { class: "spoken" }, `The loads of each feed from ${longDay(days[0])} to ${longDay(days.at(-1))}. The arrow keys lead from day to day.`),
    el(
      "thead",
      null,
      el("tr", null, el("td", null), monthHeads(days), NARROW ? null : el("td", null)),
      el(
        "tr",
        null,
        el("th", { scope: "col" }, "Feed"),
        days.map((day) =>
          el("th", { scope: "col", class: [weekend(day) && "weekend", day === today && "today"].filter(Boolean).join(" ") || null }, el("span", { "aria-hidden": "true" }, String(asDate(day).getUTCDate())), spoken(shortDay(day))),
        ),
        NARROW ? null : el("th", { scope: "col" }, spoken("Gaps")),
      ),
    ),
    el("tbody", null, feeds.map((entry) => row(entry, days))),
  );
  const links = found.querySelectorAll("tbody a.day");
  if (links.length) links[links.length - 1].tabIndex = 0;
  return el("div", { class: "scroll matrix-scroll" }, found);
}

// The way to the days before and after; `path` is the page's own.
export function pager(days, today, path) {
  const [first, last] = [days[0], days.at(-1)];
  const to = (day) => (day >= today ? path : `${path}?last=${day}`);
  return el(
    "nav",
    { class: "pager", "aria-label": "Days shown" },
    el("a", { href: to(addDays(last, -days.length)), class: "button" }, "← Earlier"),
    el("span", { class: "span" }, `${shortDay(first)} – ${shortDay(last)}`),
    last < today ? el("a", { href: to(addDays(last, days.length)), class: "button" }, "Later →") : null,
  );
}

export const legend = () =>
  el(
    "ul",
    { class: "legend", "aria-label": "What the signs mean" },
    ["published", "held", "refused", "failed", "running", "missing"].map((state) => el("li", null, sign(state), STATES[state].name)),
  );
