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

/**
 * @param {string} path
 * @param {string} kind
 */
async function fetched(path, kind) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, { headers: { Accept: kind } });
  } catch {
    throw new Problem(0, "unreachable", "Airflow's web server does not answer. Check that it runs.");
  }
  if (answer.ok) return answer;
  const detail = (await answer.json().catch(() => ({}))).detail;
  const message =
    detail?.message ??
    SENTENCES[answer.status] ??
    `Airflow answered with status ${answer.status}. Try again in a minute.`;
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
  return (await fetched(query ? `${path}?${query}` : path, "application/json")).json();
}

// Saves the file at `path` under the name that the server gives it, and returns the name. What a link alone can't: say
// why there is none.
/**
 * @param {string} path
 * @returns {Promise<string>}
 */
export async function download(path) {
  const answer = await fetched(path, "*/*");
  const name = /filename\*?=(?:utf-8'')?"?([^";]+)/i.exec(
    answer.headers.get("Content-Disposition") ?? "",
  )?.[1];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ? decodeURIComponent(name) : (path.split("/").at(-1) ?? "");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}
