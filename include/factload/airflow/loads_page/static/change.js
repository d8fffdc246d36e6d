// What changes something: a workbook put into its place by this plugin, a run started and a question answered by
// Airflow's own interface, so that its audit log says who.

import { home } from "./airflow.js";
import { fetched } from "./ask.js";

/** @import { Place, Put, Question } from "./answers.js" */

const SENTENCES = {
  401: "Your login has ended. Reload Airflow's page to log in again.",
  403: "You may not do this in Airflow. Ask whoever gives out roles.",
};

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function airflow(method, path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const request = { method, headers, body: body && JSON.stringify(body) };
  return (await fetched(new URL(`api/v2/${path}`, home()), request, SENTENCES)).json();
}

/** @type {(dagId: string) => string} */
const runsOf = (dagId) => `dags/${encodeURIComponent(dagId)}/dagRuns`;

// Starts a run with the parameters of the trigger form; those that are left out are as the form has them.
/**
 * @param {string} dagId
 * @param {Record<string, string | boolean | number>} conf
 * @returns {Promise<string>} its id
 */
export const trigger = async (dagId, conf) =>
  (await airflow("POST", runsOf(dagId), { logical_date: null, conf })).dag_run_id;

/** @type {(dagId: string, runId: string) => string} */
const questionOf = (dagId, runId) =>
  `${runsOf(dagId)}/${encodeURIComponent(runId)}/taskInstances/release/-1/hitlDetails`;

/** @type {(dagId: string, runId: string) => Promise<Question>} */
export const question = (dagId, runId) => airflow("GET", questionOf(dagId, runId));

/** @type {(dagId: string, runId: string, option: string, reason: string) => Promise<unknown>} */
export const decide = (dagId, runId, option, reason) =>
  airflow("PATCH", questionOf(dagId, runId), { chosen_options: [option], params_input: { reason } });

/** @type {(path: string, name: string) => string} */
const placeOf = (path, name) => `api/${path}/workbook?${new URLSearchParams({ name })}`;

/** @type {(path: string, name: string) => Promise<Place>} */
export const placeFor = async (path, name) =>
  (await fetched(placeOf(path, name), { headers: { Accept: "application/json" } }, SENTENCES)).json();

// `over`: the SHA-256 of the workbook that it replaces; `corrected`: it holds rejects that came back.
/**
 * @param {string} path
 * @param {File} file
 * @param {{ over?: string, corrected?: boolean }} how
 * @returns {Promise<Put>}
 */
export async function upload(path, file, { over = "", corrected = false }) {
  const query = new URLSearchParams({ over, corrected: String(corrected) });
  const headers = { Accept: "application/json", "Content-Type": "application/octet-stream" };
  const request = { method: "PUT", headers, body: file };
  return (await fetched(`${placeOf(path, file.name)}&${query}`, request, SENTENCES)).json();
}
