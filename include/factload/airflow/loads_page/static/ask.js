// Questions to the server. What goes wrong comes back as a Problem, with a sentence that says what to do.

export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @type {Record<number, string>} */
const SENTENCES = {
  401: "Your login has ended. Reload Airflow's page to log in again.",
  403: "You may not read the runs of this DAG. Ask whoever gives out roles in Airflow.",
  422: "The server does not take what this address asks for.",
};

// The answer to a request; `sentences`: what a status means that comes without words.
/**
 * @param {string | URL} address
 * @param {RequestInit} request
 */
export async function fetched(address, request, sentences = SENTENCES) {
  let answer;
  try {
    answer = await fetch(address, request);
  } catch {
    throw new Problem(0, "unreachable", "Airflow's web server does not answer. Check that it runs.");
  }
  if (answer.ok) return answer;
  const detail = (await answer.json().catch(() => ({}))).detail;
  const message =
    detail?.message ??
    sentences[answer.status] ??
    (typeof detail === "string"
      ? detail
      : `Airflow answered with status ${answer.status}. Try again in a minute.`);
  throw new Problem(answer.status, detail?.code ?? "", message);
}

// The answer to `path`, relative to the page's base, with these parameters; those that are empty are left out.
/**
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 * @returns {Promise<any>}
 */
export async function ask(path, parameters = {}) {
  const kept = Object.entries(parameters).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const query = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  const address = query ? `api/${path}?${query}` : `api/${path}`;
  return (await fetched(address, { headers: { Accept: "application/json" } })).json();
}

// Saves the file at `path` under the name that the server gives it; returns the name, and what the server says of the
// file. What a link alone can't: say why there is none.
/**
 * @param {string} path
 * @returns {Promise<{ name: string, notes: string }>}
 */
export async function download(path) {
  const answer = await fetched(`api/${path}`, { headers: { Accept: "*/*" } });
  const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(
    answer.headers.get("Content-Disposition") ?? "",
  )?.[1];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ? decodeURIComponent(name) : (path.split("/").at(-1) ?? "");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return { name: link.download, notes: decodeURIComponent(answer.headers.get("X-Factload-Notes") ?? "") };
}
