// Calls to the server. A refusal is an ApiError with the server's own words; what could not be told is one too.
import { MOUNT } from "./router.js";

const given = globalThis.document?.querySelector('meta[name="atmcp-api"]')?.content;
export const API = given ? new URL(given, document.baseURI) : new URL("../", MOUNT);

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.hint || body?.detail || body?.error || `HTTP ${status}`);
    this.status = status;
    this.code = body?.error || "";
    this.body = body || {};
  }
}

let onSignedOut = () => {};
export const whenSignedOut = (fn) => (onSignedOut = fn);

/** address of a route, given as segments, with a query. */
export function url(parts, query) {
  const u = new URL(parts.map((p) => encodeURIComponent(p)).join("/"), API);
  for (const [k, v] of Object.entries(query || {})) if (v !== undefined && v !== null && v !== "") u.searchParams.set(k, v);
  return u.href;
}

export const teamParts = (team, ...more) => ["api", "teams", team, ...more];

async function call(method, parts, { query, body, signal } = {}) {
  let r;
  try {
    r = await fetch(url(parts, query), {
      method, signal, credentials: "same-origin", cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError(0, { error: "unreachable", detail: e.message });
  }
  const text = await r.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = { detail: text.slice(0, 300) };
  }
  if (r.status === 401 && parts[1] !== "session") onSignedOut();
  if (!r.ok || answer.ok === false) throw new ApiError(r.status, answer);
  return answer;
}

export const get = (parts, query, signal) => call("GET", parts, { query, signal });
export const post = (parts, body = {}) => call("POST", parts, { body });
export const patch = (parts, body) => call("PATCH", parts, { body });
export const del = (parts) => call("DELETE", parts);

/** idem is a fresh idempotency key: one for each thing that the user means, kept over his retries of it. */
export const idem = () => `ui-${crypto.randomUUID?.() || [...crypto.getRandomValues(new Uint32Array(4))].join("-")}`;
