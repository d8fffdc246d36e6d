// What fills a gap: the exact command, and the way to Airflow's own form.

import { airflowLink, inAirflowsZone } from "./airflow.js";
import { el, spoken } from "./dom.js";
import { daysBetween, plural, shortDay } from "./format.js";

/** @import { FeedDays, Gap } from "./answers.js" */

// Both moments are the server's: they cover every run of these days, and no other. Runs that have failed are made
// again, others are left alone.
/** @type {(dagId: string, gap: Gap) => string} */
export const command = (dagId, gap) =>
  `airflow backfill create --dag-id ${dagId} --from-date ${gap.begins} --to-date ${gap.ends} --reprocess-behavior failed`;

/** @param {string} text */
function copyButton(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
  return navigator.clipboard ? button : null;
}

/** @param {string} text */
export const commandLine = (text) =>
  el("div", { class: "command" }, el("code", { tabindex: "0" }, text), copyButton(text));

/** @param {Gap[]} gaps */
function fields(gaps) {
  const { zone } = inAirflowsZone(gaps[0].begins);
  return el(
    "table",
    { class: "rows moments" },
    el("caption", { class: "spoken" }, "What to fill in"),
    el(
      "thead",
      null,
      el(
        "tr",
        null,
        ["From", "To"].map((name) => el("th", { scope: "col" }, `${name} (${zone})`)),
        el("th", { scope: "col" }, "Days"),
      ),
    ),
    el(
      "tbody",
      null,
      gaps.map((gap) =>
        el(
          "tr",
          null,
          [gap.begins, gap.ends].map((moment) =>
            el("td", null, el("code", null, inAirflowsZone(moment).text)),
          ),
          el("td", null, span(gap)),
        ),
      ),
    ),
  );
}

/** @param {Gap} gap */
const span = (gap) =>
  gap.first === gap.last ? shortDay(gap.first) : `${shortDay(gap.first)} to ${shortDay(gap.last)}`;

/** @param {Gap[]} gaps */
const days = (gaps) => gaps.reduce((sum, gap) => sum + daysBetween(gap.first, gap.last) + 1, 0);

// The two ways to load the days of these gaps; `workbook` is where that of the day lies, or those of the feed.
/**
 * @param {string} dagId
 * @param {Gap[]} gaps
 * @param {string | null} workbook
 */
export function ways(dagId, gaps, workbook) {
  return days(gaps) === 1 ? forOneDay(dagId, gaps[0], workbook) : forDays(dagId, gaps, workbook);
}

/**
 * @param {string} dagId
 * @param {Gap} gap
 * @param {string | null} workbook
 */
function forOneDay(dagId, { first: day }, workbook) {
  return el(
    "div",
    { class: "ways" },
    el("p", null, "The workbook has to be in its place: ", el("code", null, workbook), "."),
    el(
      "p",
      null,
      "In Airflow: ",
      airflowLink(`dags/${encodeURIComponent(dagId)}`, null, `open ${dagId}`),
      ", press Trigger, and fill in the period ",
      el("code", null, day),
      ".",
    ),
    el("p", null, "Or on the command line:"),
    commandLine(`factload run ${dagId.replace(/^load_/, "")} --period ${day}`),
  );
}

/**
 * @param {string} dagId
 * @param {Gap[]} gaps
 * @param {string | null} workbook
 */
function forDays(dagId, gaps, workbook) {
  return el(
    "div",
    { class: "ways" },
    el("p", null, "The workbooks have to be in their places: ", el("code", null, workbook), "."),
    el(
      "p",
      null,
      "In Airflow: ",
      airflowLink(`dags/${encodeURIComponent(dagId)}`, null, `open ${dagId}`),
      ", press Trigger, choose Backfill and Missing and Errored Runs, and fill in:",
    ),
    fields(gaps),
    el("p", null, "Or on the command line:"),
    commandLine(gaps.map((gap) => command(dagId, gap)).join("\n")),
  );
}

/** @param {FeedDays} entry */
function openDialog(entry) {
  const number = days(entry.gaps);
  const close = () => dialog.close();
  /** @type {HTMLDialogElement} */
  const dialog = el(
    "dialog",
    { "aria-label": `Backfill ${entry.feed}`, onclose: () => dialog.remove() },
    el("h2", null, `${plural(number, "day")} of ${entry.feed} without a load`),
    ways(entry.dag_id, entry.gaps, entry.workbook),
    el("button", { type: "button", onclick: close }, "Close"),
  );
  document.body.append(dialog);
  dialog.showModal();
}

// A button that shows both for the gaps of a row of the calendar.
/** @param {FeedDays} entry */
export const backfillButton = (entry) =>
  el(
    "button",
    { type: "button", class: "gap", onclick: () => openDialog(entry) },
    `Backfill ${plural(days(entry.gaps), "day")}`,
    spoken(` of ${entry.feed}`),
  );
