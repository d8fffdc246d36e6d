// What a page says while it can't be brought up to date: what it shows stays, with since when and why.

import { el } from "./dom.js";
import { sentence } from "./format.js";

export const silence = (main) => main.querySelector(":scope > .stale")?.remove();

export function keepShowing(main, error, retry) {
  const said = main.querySelector(":scope > .stale");
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
