// A feed's row of the calendar: a link for each day, and how the day stands.

import { backfillButton } from "./backfill.js";
import { el } from "./dom.js";
import { count, longDay, shortDay } from "./format.js";
import { looks, said } from "./shades.js";
import { STATES } from "./states.js";

/** @import { Day, FeedDays } from "./answers.js" */
/** @import { Child } from "./elements.js" */

/** @param {string} dagId */
export const feedPath = (dagId) => `dags/${encodeURIComponent(dagId)}`;
/** @type {(dagId: string, period: string) => string} */
export const loadPath = (dagId, period) => `${feedPath(dagId)}/loads/${period}`;

// A published load without a row is worth a look; one whose rows are others now all the more.
/** @param {Day} load */
const shownState = (load) =>
  load.altered ? "altered" : load.state === "published" && !load.published ? "empty" : load.state;

/**
 * @param {string} feed
 * @param {string} day
 * @param {string} state
 * @param {Day | undefined} load
 */
function sentence(feed, day, state, load) {
  const about = `${feed}, ${longDay(day)}: ${STATES[state].name}`;
  if (!load) return state === "failed" ? `${about}, no load was opened` : about;
  const rows = load.published === undefined || state === "empty" ? "" : `${count(load.published)} rows`;
  const older = load.older ? "an earlier attempt's rows are published" : "";
  const verified = load.verified ? `verified on ${shortDay(load.verified)}` : "";
  return [about, rows, ...said(load), older, verified].filter(Boolean).join(", ");
}

/**
 * @param {FeedDays} entry
 * @param {string} day
 * @param {Day | undefined} load
 */
function cell(entry, day, load) {
  const state = load ? shownState(load) : entry.absent[day];
  if (!state) return el("td", { class: "none" });
  return el(
    "td",
    null,
    el(
      "a",
      {
        href: loadPath(entry.dag_id, day),
        class: `day sign ${state}${looks(load)}`,
        tabindex: "-1",
        "aria-label": sentence(entry.feed, day, state, load),
      },
      STATES[state].sign,
    ),
  );
}

// A feed's body of the table: on a narrow page its gaps have a line of their own.
/**
 * @param {FeedDays} entry
 * @param {string[]} days
 * @param {boolean} narrow
 */
export function feedRow(entry, days, narrow) {
  const name = el(
    "th",
    { scope: "row", class: "feed" },
    el("a", { href: feedPath(entry.dag_id), title: entry.feed }, entry.feed),
  );
  /** @type {(kind: string, words: Child) => HTMLTableSectionElement} */
  const across = (kind, words) =>
    el(
      "tbody",
      null,
      el(
        "tr",
        null,
        name,
        el("td", { colspan: days.length, class: kind }, el("div", { class: "insight" }, words)),
        narrow ? null : el("td", { class: "gaps" }),
      ),
    );
  if (entry.problem)
    return across("trouble", entry.said_above ? "not known: see above" : entry.problem.message);
  if (!entry.first) return across("empty", "no load yet");
  const loads = new Map(entry.days.map((load) => [load.period, load]));
  const cells = days.map((day) => cell(entry, day, loads.get(day)));
  const gap = entry.gaps.length ? backfillButton(entry) : null;
  if (!narrow) return el("tbody", null, el("tr", null, name, cells, el("td", { class: "gaps" }, gap)));
  return el(
    "tbody",
    null,
    el("tr", null, name, cells),
    gap
      ? el(
          "tr",
          null,
          el("td", { class: "corner" }),
          el("td", { colspan: days.length, class: "gaps" }, el("div", { class: "insight" }, gap)),
        )
      : null,
  );
}

// The states of a row of the calendar, each as often as it is there.
/** @type {(entry: FeedDays) => string[]} */
export const statesOf = (entry) =>
  entry.problem ? ["unknown"] : [...entry.days.map(shownState), ...Object.values(entry.absent)];
