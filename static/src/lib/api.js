// The REST API with the session of this page. Errors are problem documents (RFC 9457) thrown as Problem.
import { csrf, tenant } from "./dom.js";
import { SIGNED_OUT } from "./sign_in.js";

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || `The server answered ${status}.`);
    this.status = status;
    this.document = document;
    this.problems = document.problems ?? [];
  }
}

// path: absolute ("/api/v1/…") or below this tenant ("drafts/…/groups/"). Answers {data, etag, status}.
// With `type` the body is text of that type, sent as it is.
export async function call(method, path, body, { etag, headers = {}, signal, type } = {}) {
  const url = path.startsWith("/") ? path : `/api/v1/t/${tenant}/${path}`;
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET") sent["X-CSRFToken"] = csrf();
  if (body !== undefined) sent["Content-Type"] = type ?? "application/json";
  if (etag) sent["If-Match"] = etag.startsWith('"') ? etag : `"${etag}"`;
  let answer;
  try {
    answer = await fetch(url, { method, headers: sent, signal, credentials: "same-origin", body: body === undefined || type ? body : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: "No connection", detail: "The portal did not answer. Nothing was changed; try again." });
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = { title: `The server answered ${answer.status} with no JSON.` };
  }
  if (answer.status === 401) {
    document.body.dispatchEvent(new CustomEvent("signed-out"));
    throw new Problem(401, { detail: SIGNED_OUT });
  }
  if (!answer.ok) throw new Problem(answer.status, data ?? {});
  return { data, etag: answer.headers.get("ETag"), status: answer.status };
}

const JOB_PAUSE = 1000; // milliseconds between looks at what a worker does

// Return what the answer holds, or what a worker has made of a request that it was given (202). Throws its problems.
export async function finished({ data, status }) {
  if (status !== 202) return data;
  let job = data;
  while (job.state === "computing") {
    await new Promise((resolve) => { setTimeout(resolve, JOB_PAUSE); });
    job = await get(`jobs/${job.id}/`);
  }
  if (job.state === "failed") throw new Problem(422, { detail: job.problems[0].message, problems: job.problems });
  return job;
}

// The id of the plan that was made and failed. Throws any other problem again.
export function failedPlan(problem) {
  if (!problem.document?.plan) throw problem;
  return problem.document.plan;
}

/** Go to the page that solves the conflicts of a draft with live, where these are the problem. Return whether they are. */
export function goToConflicts({ document }) {
  if (!document?.conflicts) return false;
  location.assign(`/t/${tenant}/design/${document.draft}/rebase/`);
  return true;
}

export const get = (path, options) => call("GET", path, undefined, options).then(({ data }) => data);
export const post = (path, body = {}, options) => call("POST", path, body, options).then(({ data }) => data);
export const put = (path, body, options) => call("PUT", path, body, options).then(({ data }) => data);
export const patch = (path, body, options) => call("PATCH", path, body, options).then(({ data }) => data);
export const remove = (path, options) => call("DELETE", path, undefined, options).then(({ data }) => data);

// All results of a cursor-paged list.
export async function list(path, options) {
  const results = [];
  let next = path;
  while (next) {
    const page = await get(next, options);
    results.push(...page.results);
    next = page.next ? new URL(page.next, location.href).pathname + new URL(page.next, location.href).search : null;
  }
  return results;
}
