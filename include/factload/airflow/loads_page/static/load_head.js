// The head of a load's page: which day it is, how it stands, and what has to be known before anything else.

import { airflowLink, runPath } from "./airflow.js";
import { el, prose } from "./dom.js";
import { feedPath, loadPath } from "./feed_row.js";
import { addDays, count, duration, longDay, moment, share } from "./format.js";
import { limitOf } from "./limits.js";
import { badge, EXPLANATIONS } from "./states.js";
import { shownState, verified } from "./verified.js";

/** @import { DayAnswer, Load } from "./answers.js" */
/** @import { Child } from "./elements.js" */
/** @typedef {{ dagId: string, period: string }} Page which load the page is of */

/**
 * @param {Page} page
 * @param {string} feed
 * @param {string | null} [state]
 * @param {Child} [words]
 * @param {Child} [elsewhere]
 */
export function head({ dagId, period }, feed, state, words, elsewhere) {
  return el(
    "header",
    { class: "head" },
    el(
      "div",
      null,
      el(
        "p",
        { class: "crumbs" },
        el("a", { href: "./" }, "Loads"),
        " / ",
        el("a", { href: feedPath(dagId) }, feed),
      ),
      el("h1", null, longDay(period), " ", state ? badge(state) : null),
      words ? el("p", { class: "summary" }, words) : null,
    ),
    el(
      "nav",
      { class: "pager", "aria-label": "Elsewhere" },
      elsewhere,
      el("a", { href: loadPath(dagId, addDays(period, -1)), class: "button" }, "← Day before"),
      el("a", { href: loadPath(dagId, addDays(period, 1)), class: "button" }, "Day after →"),
    ),
  );
}

/** @type {(page: Page, answer: DayAnswer, state: string | null, explained?: string | null) => HTMLElement} */
export const headOf = (page, answer, state, explained = state) =>
  head(page, answer.feed, state, EXPLANATIONS[explained ?? ""], toRun(page, answer));

// The run that was for this day, or the last of several: its tasks, its logs.
/**
 * @param {Page} page
 * @param {DayAnswer} answer
 */
function toRun({ dagId }, { runs }) {
  return runs.length
    ? airflowLink(runPath(dagId, runs[0].run_id), { class: "button" }, "Run in Airflow")
    : null;
}

/**
 * @param {string} name
 * @param {Child} value
 * @param {string} [more]
 */
function tile(name, value, more) {
  return el(
    "div",
    { class: "tile" },
    el("dt", null, name),
    el("dd", null, value, more ? el("small", null, more) : null),
  );
}

/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
export function tiles(answer, load) {
  const { source, rejected, published } = load.rows;
  const waited = load.paused ? `, and waited ${duration(load.paused)}` : "";
  return el(
    "dl",
    { class: "tiles" },
    tile("Source rows", count(source)),
    tile("Published", count(published), `into ${answer.table}${verified(load)}`),
    tile(
      "Rejected",
      count(rejected),
      `${share(source ? rejected / source : null)}, allowed ${answer.max_rejects}`,
    ),
    tile("Took", duration(load.seconds), `attempt ${load.epoch}${waited}`),
  );
}

/** @param {Load} load */
export function older(load) {
  if (!load.published_epoch || ["published", "released"].includes(load.state)) return null;
  return el(
    "p",
    { class: "banner" },
    `Readers of the fact table still see the rows of attempt ${load.published_epoch}.`,
  );
}

// Who let a held load be published, and why, is the first thing about it.
/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
export function released(answer, load) {
  const [{ released_by: who, released_at: when, release_reason: reason }] = load.attempts;
  if (!who) return null;
  return el(
    "section",
    { class: "banner held", "aria-label": "Release" },
    el("strong", null, `Released by ${who}, ${moment(when)}: `),
    reason,
    el("br"),
    limitOf(load)?.since,
    `${count(load.rows.rejected)} of ${count(load.rows.source)} rows were rejected; the feed allows ${answer.max_rejects}.`,
  );
}

// So is who took rows back, whether others stand in their place or none.
/** @param {Load} load */
export function undone({ attempts: [{ undoes, undone_by: who, undo_reason: reason, opened_at: when }] }) {
  if (!undoes) return null;
  return el(
    "section",
    { class: "banner held", "aria-label": "Undo" },
    el("strong", null, `Attempt ${undoes} was taken back by ${who}, ${moment(when)}: `),
    reason,
  );
}

/** @param {Load} load */
export function why(load) {
  const { error_message: message } = load.attempts[0];
  return message && load.state !== "released"
    ? el("p", { class: `banner ${load.state}` }, prose(message))
    : null;
}

// Which sentence explains the state.
/** @param {Load} load */
export function explained(load) {
  if (load.gone) return "gone";
  if (shownState(load) === "altered") return "altered";
  const limit = limitOf(load);
  return limit && ["held", "released"].includes(load.state) ? `${load.state}${limit.name}` : load.state;
}
