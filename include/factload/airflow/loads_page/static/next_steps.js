// What a person can do about a load: decide, correct, run it again; take it back.

import { airflowLink, runPath, taskPath } from "./airflow.js";
import { commandLine } from "./backfill.js";
import { decisionForm, releaseForm } from "./decide.js";
import { card, el, prose } from "./dom.js";
import { moment } from "./format.js";
import { limitOf } from "./limits.js";

/** @import { DayAnswer, Load, LoadAnswer } from "./answers.js" */
/** @import { Limit } from "./limits.js" */

const ENDED = new Set(["failed", "refused", "stalled"]);

/**
 * @param {DayAnswer} answer
 * @param {string} dagId
 */
function decide({ runs, may_trigger }, dagId) {
  const asking = runs.find((run) => run.asks);
  if (!asking) return null;
  const words = el(
    "p",
    null,
    airflowLink(
      `${taskPath(dagId, asking.run_id, "release")}/required_actions`,
      { class: "button strong" },
      "Decide in Airflow",
    ),
    " Its run waits for a person's word and reason: publish it as it is, or leave it held.",
  );
  return may_trigger ? [words, decisionForm(dagId, asking.run_id)] : words;
}

// What was decided, or that nobody did, in the run that asked last.
/**
 * @param {DayAnswer} answer
 * @param {string} dagId
 */
function decided({ runs }, dagId) {
  const [run] = runs.filter((each) => !each.dry);
  if (!run || run.asks || !run.decision) return null;
  return [
    el("p", null, prose(run.decision), "."),
    el(
      "p",
      null,
      "To decide anew: open ",
      airflowLink(taskPath(dagId, run.run_id, "release"), null, "its task release"),
      ", clear it, and it asks again. Or:",
    ),
  ];
}

// What publishing a held load would change: below, where its rows are still staged; else the command stages them.
/**
 * @param {LoadAnswer} answer
 * @param {string} [first]
 */
const whatWouldChange = ({ feed, period, load }, first = "") =>
  load.comparable
    ? el(
        "p",
        null,
        first,
        "What publishing it would change stands ",
        el("a", { href: "#difference" }, "below"),
        ".",
      )
    : [
        el("p", null, `${first}What publishing it would change, row by row:`),
        commandLine(`factload diff ${feed} --period ${period}`),
      ];

// How a held load is published all the same: where its run asks, by its question; in a feed without `run.approval`, by a
// run that releases it. `right`: what is said before.
/**
 * @param {LoadAnswer} answer
 * @param {string} dagId
 * @param {string} right
 * @param {() => unknown} started
 */
function release(answer, dagId, right, started) {
  const asking = decide(answer, dagId);
  if (asking) return [asking, decided(answer, dagId)];
  const { approval, load, may_trigger, runs } = answer;
  const [run] = runs.filter((each) => !each.dry);
  if (run?.at_work && !run.decision)
    return el("p", null, "A run of this day is at work. See what it comes to first.");
  const failed =
    run?.error && run.opened === null ? el("p", { class: "banner failed" }, prose(run.error)) : null;
  return [
    failed,
    decided(answer, dagId) ?? el("p", null, right),
    may_trigger && !approval ? releaseForm(answer, dagId, started) : null,
    commandLine(`factload release ${load.load_id} --reason "why"`),
  ];
}

/**
 * @param {LoadAnswer} answer
 * @param {string} dagId
 * @param {() => unknown} started
 */
function aboutRejects(answer, dagId, started) {
  const { load } = answer;
  return [
    whatWouldChange(answer),
    release(answer, dagId, "The rows are right to be left out:", started),
    el(
      "p",
      null,
      "The workbook is wrong: send the rejects back as a workbook (below, or by the first command). Corrected, its rows take the place of the rejected ones:",
    ),
    commandLine(
      `factload rejects ${load.load_id} --xlsx rejects.xlsx\nfactload replay ${load.load_id} --workbook rejects.xlsx`,
    ),
    el(
      "p",
      null,
      "A dimension lagged behind: when it has caught up, trigger the DAG with Replay rejects, or:",
    ),
    commandLine(`factload replay ${load.load_id}`),
  ];
}

/**
 * @param {LoadAnswer} answer
 * @param {string} dagId
 * @param {Limit} limit
 * @param {() => unknown} started
 */
function aboutLimit(answer, dagId, { first, right, rerun }, started) {
  return [
    whatWouldChange(answer, first),
    release(answer, dagId, right, started),
    el("p", null, rerun),
    commandLine(`factload run ${answer.feed} --period ${answer.period}`),
  ];
}

/** @param {string} dagId */
export const notYours = (dagId) =>
  el("p", { class: "quiet" }, `You may not start runs of ${dagId} in Airflow: whoever may can do this.`);

// Both ways go on from the partitions that are staged.
/**
 * @param {DayAnswer} answer
 * @param {string} dagId
 */
function again({ feed, period, runs }, dagId) {
  const inAirflow = runs.length
    ? [
        "open ",
        airflowLink(runPath(dagId, runs[0].run_id), null, "its run"),
        " and clear the task that failed, or ",
      ]
    : [
        "open ",
        airflowLink(`dags/${encodeURIComponent(dagId)}`, null, dagId),
        ", press Trigger and choose the period, or ",
      ];
  return [
    el("p", null, "When the cause is gone: in Airflow, ", inAirflow, "on the command line:"),
    commandLine(`factload run ${feed} --period ${period}`),
  ];
}

// Staged and proved, by `factload diff` or by a run that ended before it published.
/** @param {DayAnswer} answer */
const publish = ({ feed, period }) => [
  el(
    "p",
    null,
    "A run of the period publishes what is staged, unless the workbook or the feed has changed since:",
  ),
  commandLine(`factload run ${feed} --period ${period}`),
];

// A change whose rows before it are kept. An undo is undone by another.
/** @param {Load} load */
function takeBack({ load_id: id, kept_until: until, attempts: [{ undoes }] }) {
  if (!until) return null;
  const [should, rows] = undoes
    ? ["have been taken back", "the rows that were taken out"]
    : ["have been published", "the rows before it"];
  return [
    el("p", null, `If it should not ${should}: until ${moment(until)} ${rows} can stand again.`),
    commandLine(`factload undo ${id} --reason "why"`),
  ];
}

/**
 * @param {LoadAnswer} answer
 * @param {string} dagId
 * @param {() => unknown} started is called when a run has been started
 */
export function nextSteps(answer, dagId, started) {
  const { load } = answer;
  const limit = limitOf(load);
  const held = () =>
    limit ? aboutLimit(answer, dagId, limit, started) : aboutRejects(answer, dagId, started);
  const others = () => (ENDED.has(load.state) ? again(answer, dagId) : takeBack(load));
  const ways = load.state === "held" ? held() : load.state === "reconciled" ? publish(answer) : others();
  return ways && card("What to do next", "next", answer.may_trigger ? null : notYours(dagId), ways);
}
