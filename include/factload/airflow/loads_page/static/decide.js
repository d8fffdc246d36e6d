// The decision about a held load: an answer to Airflow's own question where its run asks, else a run that releases it.

import { airflowLink, runPath } from "./airflow.js";
import { decide, question, trigger } from "./change.js";
import { el, show } from "./dom.js";

/** @import { LoadAnswer } from "./answers.js" */
/** @import { Child } from "./elements.js" */

const SHORTEST_REASON = 3;

/** @typedef {{ name: string, act: (reason: string) => Promise<Child> }} Option `act` returns what is said then */

// A form with a button for each option, and the reason that is kept with the load.
/** @param {() => Promise<Option[]>} options */
function reasonForm(options) {
  const reason = el("input", { type: "text", id: "decision-reason", maxlength: "1000", autocomplete: "off" });
  const buttons = el("span", { class: "actions" });
  const told = el("p", { role: "status", class: "quiet" });
  /** @param {Option} option */
  const take = async ({ act }) => {
    if (reason.value.trim().length < SHORTEST_REASON) {
      told.textContent = "Say why: the reason is kept with the load.";
      reason.focus();
      return;
    }
    for (const each of buttons.querySelectorAll("button")) each.disabled = true;
    try {
      show(told, await act(reason.value.trim()));
    } catch (/** @type {any} */ error) {
      told.textContent = error.message;
      for (const each of buttons.querySelectorAll("button")) each.disabled = false;
    }
  };
  const begin = async () => {
    try {
      show(
        buttons,
        (await options()).map((option) =>
          el("button", { type: "button", onclick: () => take(option) }, option.name),
        ),
      );
    } catch (/** @type {any} */ error) {
      told.textContent = error.message;
    }
  };
  begin();
  return el(
    "div",
    { class: "decision" },
    el("label", { for: "decision-reason" }, "Why the decision is right "),
    reason,
    " ",
    buttons,
    told,
  );
}

// The options are those of Airflow's question.
/**
 * @param {string} dagId
 * @param {string} runId
 */
export const decisionForm = (dagId, runId) =>
  reasonForm(async () =>
    (await question(dagId, runId)).options.map((name) => ({
      name,
      act: async (reason) => {
        await decide(dagId, runId, name, reason);
        return `Airflow has your answer: ${name}.`;
      },
    })),
  );

// The attempt is the one that the page shows: if another has begun since, the run fails and nothing is released.
/**
 * @param {LoadAnswer} answer
 * @param {string} dagId
 * @param {() => unknown} started
 */
export const releaseForm = ({ period, load }, dagId, started) =>
  reasonForm(async () => [
    {
      name: "Publish as it is",
      act: async (release) => {
        const runId = await trigger(dagId, { period, release, attempt: load.epoch });
        await started();
        return ["It is released by ", airflowLink(runPath(dagId, runId), null, "a run in Airflow"), "."];
      },
    },
  ]);
