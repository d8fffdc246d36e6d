// A day without a load: what Airflow knows of its runs, and how the day is loaded.

import { airflowLink, taskPath } from "./airflow.js";
import { ways } from "./backfill.js";
import { card, el, prose, table } from "./dom.js";
import { count, moment, plural } from "./format.js";
import { markedDownload } from "./marked.js";
import { notYours } from "./next_steps.js";
import { notice } from "./notices.js";
import { differences } from "./row_by_row.js";

/** @import { DayAnswer, RejectedCell, Run } from "./answers.js" */
/** @import { Child, Column } from "./elements.js" */

// A dry run opens no load, and tells nothing of whether there will be one.
const real = (/** @type {DayAnswer} */ { runs }) => runs.filter((run) => !run.dry);

/** @param {DayAnswer} answer */
export function stateWithout(answer) {
  const runs = real(answer);
  if (runs.some((run) => run.at_work)) return "waiting";
  if (runs.length) return runs[0].state === "failed" ? "failed" : "skipped";
  return answer.expected ? "missing" : null;
}

/** @type {(dagId: string, run: Run) => HTMLElement} */
const log = (dagId, run) =>
  airflowLink(taskPath(dagId, run.run_id, "open_load"), null, "the log of its task open_load");

/**
 * @param {string} dagId
 * @param {Run} run
 */
function waiting(dagId, run) {
  const since = run.began ? ` It began ${moment(run.began)}.` : " It has not begun yet.";
  if (!run.waits)
    return el(
      "p",
      null,
      "A run of this day is at work. It opens the load when it finds its workbook.",
      since,
      " See ",
      log(dagId, run),
      ".",
    );
  return el(
    "p",
    null,
    "Its run waits for the workbook ",
    el("code", null, run.waits.workbook),
    ` until ${moment(run.waits.until)}.${since} Put it there: it is seen within ten seconds.`,
  );
}

/**
 * @param {string} dagId
 * @param {Run} run
 */
function failed(dagId, run) {
  return [
    el("p", null, "The run of this day failed before it opened a load:"),
    run.error
      ? el("p", { class: "banner failed" }, prose(run.error))
      : el("p", null, "It says no reason: its process was killed, or somebody ended it."),
    el("p", null, "See ", log(dagId, run), "."),
  ];
}

/** @type {Record<string, (dagId: string, run: Run) => Child>} */
const WORDS = {
  waiting,
  failed,
  skipped: (dagId, run) => [
    el("p", null, "The run of this day found nothing to load."),
    run.skipped ? el("p", { class: "banner" }, prose(run.skipped)) : null,
    el("p", null, "See ", log(dagId, run), "."),
  ],
  missing: () => el("p", null, "The schedule was due on this day, and the ledger has no load of it."),
};

/** @type {Record<string, string>} */
const TITLES = { waiting: "No load yet", failed: "No load was opened", skipped: "Nothing was loaded" };

/**
 * @param {DayAnswer} answer
 * @param {string} dagId
 */
export function withoutLoad(answer, dagId) {
  const state = stateWithout(answer);
  const runs = real(answer);
  const run = (state === "waiting" && runs.find((each) => each.at_work)) || runs[0];
  const words = answer.to_come
    ? el("p", null, "This day is still to come.")
    : (WORDS[state ?? ""]?.(dagId, run) ??
      el("p", null, "The ledger has no load of this day, and the schedule expects none."));
  const offer =
    answer.to_come || state === "waiting" || state === "skipped"
      ? null
      : [answer.may_trigger ? null : notYours(dagId), ways(dagId, answer.gaps, answer.workbook)];
  return notice(TITLES[state ?? ""] ?? "No load", words, offer);
}

/** @type {Column<RejectedCell>[]} */
const CELLS = [
  { name: "Cell", value: (cell) => cell.address },
  { name: "Column", value: (cell) => cell.column },
  { name: "Reason", value: (cell) => cell.reason },
  { name: "What it means", class: "why", value: (cell) => cell.explanation },
];

// The cells that a dry run names, the first ten of each reason, and the workbooks they are in.
/**
 * @param {string} dagId
 * @param {string} runId
 * @param {RejectedCell[]} cells
 */
function rejectedCells(dagId, runId, cells) {
  const workbooks = [...new Set(cells.map((cell) => cell.workbook))];
  const path = `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}/annotated.xlsx`;
  return [
    table("The first rejected cells of each reason", CELLS, cells, { asCards: true }),
    el(
      "p",
      { class: "tools" },
      workbooks.length > 1
        ? workbooks.map((workbook) => markedDownload(path, workbook))
        : markedDownload(path),
    ),
  ];
}

// What the last dry run found out, while no load has come after it.
/**
 * @param {DayAnswer} answer
 * @param {string} dagId
 */
export function dryRunCard(answer, dagId) {
  const [run] = answer.runs;
  if (!run?.dry) return null;
  const { report } = run;
  const about = "A dry run reads everything and writes nothing.";
  if (!report) {
    const words = run.at_work
      ? "It is at work."
      : run.error
        ? prose(run.error)
        : "It ended without a report.";
    return card(
      "The last dry run",
      "dry-run",
      el("p", { class: "quiet" }, about),
      el("p", null, words, " See ", log(dagId, run), "."),
    );
  }
  const { rows } = report;
  const reasons = Object.entries(report.rejects ?? {});
  return card(
    "The last dry run",
    "dry-run",
    el(
      "p",
      null,
      "A load would be ",
      el("strong", null, report.state),
      `: ${count(rows.source)} rows = ${count(rows.blank)} blank + ${rows.left_out ? `${count(rows.left_out)} left out + ` : ""}${count(rows.rejected)} rejected + ${count(rows.staged)} that could be published.`,
    ),
    reasons.length
      ? el(
          "p",
          null,
          "Rejected: ",
          reasons.map(([reason, number]) => `${count(number)} ${reason}`).join(", "),
          ".",
        )
      : null,
    report.rejected.length ? rejectedCells(dagId, run.run_id, report.rejected) : null,
    report.problems?.length
      ? [
          el("p", null, `${plural(report.problems.length, "problem")} would stop it:`),
          el(
            "ul",
            null,
            report.problems.map((problem) => el("li", null, prose(problem.message))),
          ),
        ]
      : null,
    report.warnings?.length
      ? el(
          "ul",
          null,
          report.warnings.map((warning) => el("li", null, prose(warning))),
        )
      : null,
    differences(report, answer),
    el("p", { class: "quiet" }, about, " Each rejected cell is in ", log(dagId, run), "."),
  );
}
