// What verify found of the rows that a load published: whether readers still see them.

import { commandLine } from "./backfill.js";
import { el } from "./dom.js";
import { moment } from "./format.js";

/** @import { DayAnswer, Load } from "./answers.js" */

/** @type {Record<string, string>} */
export const VERDICTS = {
  stands: "as published",
  differs: "not as published",
  unproved: "can't be proved",
};

// What readers see, as verify found it last.
/** @param {Load} load */
const standingAttempt = (load) => load.attempts.find((attempt) => attempt.epoch === load.published_epoch);

/** @param {Load} load */
export function verified(load) {
  const { verified_at: when, verified_as: found } = standingAttempt(load) ?? {};
  return when && found ? `, verified on ${moment(when)}: ${VERDICTS[found]}` : "";
}

/** @param {Load} load */
const isAltered = (load) => standingAttempt(load)?.verified_as === "differs";

// Above everything else, since what readers see is not what was proved.
/**
 * @param {DayAnswer} answer
 * @param {Load} load
 */
export function altered(answer, load) {
  if (!isAltered(load)) return null;
  return el(
    "section",
    { class: "banner failed", "aria-label": "Verification" },
    el(
      "p",
      null,
      `Verified on ${moment(standingAttempt(load)?.verified_at)}: the rows that attempt ${load.published_epoch} published are no longer in the fact table as they were. To see what differs:`,
    ),
    commandLine(`factload verify ${answer.feed} --since ${answer.period}`),
    el("p", null, "With mode replace or exchange, loading the workbook again replaces them:"),
    commandLine(`factload run ${answer.feed} --period ${answer.period} --reload`),
  );
}

// The state, unless the rows that it speaks of are others by now.
/** @param {Load} load */
export const shownState = (load) =>
  isAltered(load) && load.published_epoch === load.epoch ? "altered" : load.state;
