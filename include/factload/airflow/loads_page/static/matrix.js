// Feeds × days: a table whose cells are links to the loads. One stop of the Tab key; the arrows go from day to day.
//
// A row is made anew only when its feed has changed. The rows in sight are painted first, the others after them.

import { dayAt, daysIn, moveFocus } from "./arrows.js";
import { backfillButton } from "./backfill.js";
import { DAY, GAPS, isNarrow, nameWidth } from "./days.js";
import { el, spoken } from "./dom.js";
import { asDate, count, longDay, month, shortDay } from "./format.js";
import { looks, said, shadesOf } from "./shades.js";
import { STATES, sign, USUAL } from "./states.js";

/** @import { Day, FeedDays } from "./answers.js" */
/** @import { Child } from "./elements.js" */

/** @type {(dagId: string, period: string) => string} */
export const loadPath = (dagId, period) => `dags/${encodeURIComponent(dagId)}/loads/${period}`;
/** @param {string} dagId */
const feedPath = (dagId) => `dags/${encodeURIComponent(dagId)}`;

const AT_A_TIME = 40; // rows

/** @param {string} day */
const weekend = (day) => [0, 6].includes(asDate(day).getUTCDay());

/** @param {string[]} days */
function monthHeads(days) {
  /** @type {{ name: string, span: number }[]} */
  const heads = [];
  for (const day of days) {
    const name = month(day);
    const newest = heads.at(-1);
    if (newest?.name === name) newest.span += 1;
    else heads.push({ name, span: 1 });
  }
  // A month of a day or two has no room for its name.
  return heads.map(({ name, span }) =>
    el(
      "th",
      { colspan: span, scope: "colgroup", class: "month" },
      span > 3 ? el("span", { class: "insight" }, name) : spoken(name),
    ),
  );
}

/**
 * @param {string[]} days
 * @param {string} today
 * @param {boolean} narrow
 */
function head(days, today, narrow) {
  return el(
    "thead",
    null,
    el(
      "tr",
      null,
      el("td", { class: "corner" }),
      monthHeads(days),
      narrow ? null : el("td", { class: "gaps" }),
    ),
    el(
      "tr",
      null,
      el("th", { scope: "col", class: "corner" }, "Feed"),
      days.map((day) =>
        el(
          "th",
          {
            scope: "col",
            class: [weekend(day) && "weekend", day === today && "today"].filter(Boolean).join(" ") || null,
          },
          el("span", { "aria-hidden": "true" }, String(asDate(day).getUTCDate())),
          spoken(shortDay(day)),
        ),
      ),
      narrow ? null : el("th", { scope: "col", class: "gaps" }, spoken("Gaps")),
    ),
  );
}

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
function body(entry, days, narrow) {
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

// What a screen reader says, for the pointer too; made when it is wanted, there are thousands.
/** @param {Event} event */
function sayAtPointer(event) {
  const link = dayAt(event);
  if (link && !link.title) link.title = link.getAttribute("aria-label") ?? "";
}

const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

// The table for these days. `update(feeds)` shows them; `isShown(entry)` says which rows are not hidden.
/**
 * @param {string[]} days
 * @param {string} today
 */
export function matrix(days, today) {
  const narrow = isNarrow();
  const columns = el("colgroup");
  const table = el(
    "table",
    { class: "matrix", onkeydown: moveFocus, onpointerover: sayAtPointer },
    el(
      "caption",
      { class: "spoken" },
      `The loads of each feed from ${longDay(days[0])} to ${longDay(days[days.length - 1])}. The arrow keys lead from day to day.`,
    ),
    columns,
    head(days, today, narrow),
  );
  const node = el("div", { class: "matrix-scroll" }, table);
  let atNewest = false; // until the first rows are there
  /** @type {Map<string, { text: string, entry: FeedDays, body: HTMLTableSectionElement }>} */
  const rows = new Map(); // feed → { entry as text, body }
  let turn = 0;
  let isShown = (/** @type {FeedDays} */ _) => true;

  /** @param {FeedDays[]} feeds */
  function widths(feeds) {
    const lacking = feeds.some((entry) => entry.gaps.length);
    const name = nameWidth(feeds);
    const beside = narrow || !lacking ? 0 : GAPS;
    columns.replaceChildren(
      el("col", { width: name }),
      ...days.map(() => el("col", { width: DAY })),
      ...(narrow ? [] : [el("col")]),
    );
    table.classList.toggle("gapless", !lacking);
    table.style.minWidth = `${name + days.length * DAY + beside}px`;
    node.style.scrollPaddingLeft = `${name + 8}px`; // what has the focus isn't below the names
    node.style.setProperty("--names", `${name}px`);
    node.style.setProperty("--beside", `${beside}px`);
  }

  function toNewest() {
    if (atNewest) return;
    atNewest = true;
    node.scrollLeft = node.scrollWidth;
  }

  /**
   * @param {FeedDays} entry
   * @param {HTMLTableSectionElement | null} before
   */
  function put(entry, before) {
    const text = JSON.stringify(entry);
    const known = rows.get(entry.feed);
    if (known?.text === text) return known.body;
    const made = body(entry, days, narrow);
    made.hidden = !isShown(entry);
    const focused = known?.body.contains(document.activeElement)
      ? document.activeElement?.getAttribute("href")
      : null;
    if (known) known.body.replaceWith(made);
    else if (before) before.after(made);
    else table.append(made);
    rows.set(entry.feed, { text, entry, body: made });
    if (focused)
      [...made.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
    return made;
  }

  function oneStop() {
    if (table.querySelector('tbody:not([hidden]) a.day[tabindex="0"]')) return;
    const first = [...rows.values()].find(({ body: its }) => !its.hidden && its.querySelector("a.day"));
    if (first) daysIn(first.body)[daysIn(first.body).length - 1].tabIndex = 0;
  }

  /** @param {FeedDays[]} feeds */
  async function update(feeds) {
    const mine = ++turn;
    widths(feeds);
    const wanted = new Set(feeds.map((entry) => entry.feed));
    for (const [feed, { body: old }] of rows) {
      if (wanted.has(feed)) continue;
      old.remove();
      rows.delete(feed);
    }
    let before = null;
    for (const [index, entry] of feeds.entries()) {
      if (index && index % AT_A_TIME === 0) {
        oneStop();
        await painted();
        if (mine !== turn) return; // a newer answer is being shown
      }
      before = put(entry, before);
    }
    oneStop();
    toNewest();
  }

  /** @param {(entry: FeedDays) => boolean} test */
  function show(test) {
    isShown = test;
    for (const { entry, body: its } of rows.values()) its.hidden = !test(entry);
    oneStop();
  }

  return { node, update, show };
}

// The states of a row of the calendar, each as often as it is there.
/** @type {(entry: FeedDays) => string[]} */
export const statesOf = (entry) =>
  entry.problem ? ["unknown"] : [...entry.days.map(shownState), ...Object.values(entry.absent)];

/** @param {FeedDays[]} feeds */
export function legend(feeds) {
  const there = new Set(feeds.flatMap(statesOf));
  const states = Object.keys(STATES).filter((state) => USUAL.includes(state) || there.has(state));
  return el(
    "ul",
    { class: "legend", "aria-label": "What the signs mean" },
    states.map((state) => el("li", null, sign(state), STATES[state].name)),
    shadesOf(feeds),
  );
}
