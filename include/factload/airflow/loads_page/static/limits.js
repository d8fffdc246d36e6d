// Limits beside that of rejects, and what is said of a load that was held for one.

/** @import { Load } from "./answers.js" */

// `name`: how its explanations are called (states.js); `since`: why a released load was held; `first`, `right`, `rerun`:
// what is said first, before its release, and before it runs again.
/** @typedef {{ name: string, since: string, first?: string, right: string, rerun: string }} Limit */

/** @type {Record<string, Limit>} */
const LIMITS = {
  too_few_rows: {
    name: "Few",
    since: "It was held since fewer rows came than the feed asks for. ",
    right: "So few rows are right:",
    rerun: "Fewer rows came than the feed asks for. Once the workbook is whole, run the period again:",
  },
  too_much_change: {
    name: "Change",
    since: "It was held since more had changed than the feed allows. ",
    first: "More has changed than the feed allows. ",
    right: "The change is right:",
    rerun: "Once the workbook is corrected, run the period again:",
  },
  witness_differs: {
    name: "Witness",
    since: "It was held since the owner's own number is another one. ",
    right: "The rows are right, and the owner's number is not:",
    rerun: "Else ask for the whole workbook, or for its right number. Then run the period again:",
  },
};

// The limit that the newest attempt was held for; none if it was for its rejects, or not held.
/** @type {(load: Load) => Limit | undefined} */
export const limitOf = (load) => LIMITS[load.attempts[0].error_code ?? ""];
