// What a page says while it can't be brought up to date: what it shows stays, with since when and why.

import { el } from "./dom.js";
import { sentence } from "./format.js";

/** @import { Refusal } from "./answers.js" */

const saidIn = (/** @type {HTMLElement} */ main) =>
  /** @type {HTMLElement | null} */ (main.querySelector(":scope > .stale"));

export const silence = (/** @type {HTMLElement} */ main) => saidIn(main)?.remove();

/**
 * @param {HTMLElement} main
 * @param {Refusal} error
 * @param {() => void} retry
 */
export function keepShowing(main, error, retry) {
  const said = saidIn(main);
  if (said?.dataset.message === error.message) return;
  said?.remove();
  const now = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date());
  main.prepend(
    el(
      "div",
      { class: "banner failed stale", role: "alert", "data-message": error.message },
      el("strong", null, `What you see is not up to date since ${now}. `),
      sentence(error.message),
      " ",
      el("button", { type: "button", onclick: retry }, "Try again"),
    ),
  );
}
