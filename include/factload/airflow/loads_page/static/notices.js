// What stands in the place of a page that has nothing to show.

import { el } from "./dom.js";

/** @import { Refusal } from "./answers.js" */
/** @import { Child } from "./elements.js" */

/**
 * @param {string} title
 * @param {...Child} children
 */
export const notice = (title, ...children) =>
  el("section", { class: "notice" }, el("h2", null, title), ...children);

/** @type {Record<string, string>} */
export const TITLES = {
  ledger_missing: "No load has run yet",
  connection_unknown: "The warehouse is not known here",
  database_unreachable: "The warehouse does not answer",
  ledger_outdated: "The ledger awaits its migration",
  feed_invalid: "The feed file has a defect",
  no_feed: "This DAG loads no feed",
  too_slow: "The warehouse takes too long",
  busy: "Too many questions at once",
  unreachable: "Airflow does not answer",
};

// A Problem, said in full.
/**
 * @param {Refusal} error
 * @param {() => void} retry
 */
export const problem = (error, retry) =>
  el(
    "section",
    { class: "notice trouble", role: "alert" },
    el("h2", null, TITLES[error.code] ?? "This can't be shown"),
    el("p", { class: "message" }, error.message),
    retry && el("button", { type: "button", onclick: retry }, "Try again"),
  );
