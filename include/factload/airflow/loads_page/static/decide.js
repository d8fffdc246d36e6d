// The decision about a held load whose run waits for a person: an answer to Airflow's own question.

import { decide, question } from "./change.js";
import { el, show } from "./dom.js";

// A form with the options that Airflow's question has, and the reason that is kept with the load.
/**
 * @param {string} dagId
 * @param {string} runId
 */
export function decisionForm(dagId, runId) {
  const reason = el("input", { type: "text", id: "decision-reason", maxlength: "1000", autocomplete: "off" });
  const buttons = el("span", { class: "actions" });
  const told = el("p", { role: "status", class: "quiet" });
  /** @param {string} option */
  const answer = async (option) => {
    if (reason.value.trim().length < 3) {
      told.textContent = "Say why: the reason is kept with the load.";
      reason.focus();
      return;
    }
    for (const each of buttons.querySelectorAll("button")) each.disabled = true;
    try {
      await decide(dagId, runId, option, reason.value.trim());
      told.textContent = `Airflow has your answer: ${option}.`;
    } catch (/** @type {any} */ error) {
      told.textContent = error.message;
      for (const each of buttons.querySelectorAll("button")) each.disabled = false;
    }
  };
  const begin = async () => {
    try {
      const { options } = await question(dagId, runId);
      show(
        buttons,
        options.map((option) => el("button", { type: "button", onclick: () => answer(option) }, option)),
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
