// The sender's own workbook with its wrong cells marked, to download; of several workbooks one after the other.

import { download } from "./ask.js";
import { el } from "./dom.js";
import { baseName } from "./format.js";

// A button for what lies at `path`, and the words that come of it. `workbook`: which of several.
/**
 * @param {string} path
 * @param {string} [workbook]
 */
export function markedDownload(path, workbook) {
  const told = el("span", { role: "status", class: "quiet" });
  const address = workbook ? `${path}?${new URLSearchParams({ workbook })}` : path;
  const get = async () => {
    told.textContent = "Marking the cells …";
    try {
      told.textContent = (await download(address)).notes;
    } catch (/** @type {any} */ error) {
      told.textContent = error.message;
    }
  };
  const words = workbook ? `Download ${baseName(workbook)}, marked` : "Download the workbook, marked";
  return [el("button", { type: "button", onclick: get }, words), told];
}
