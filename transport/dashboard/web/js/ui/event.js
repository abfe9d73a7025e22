// An event in words: what happened, who did it, to what.
import { html, memo } from "../lib.js";
import { store } from "../app.js";
import { split } from "../store.js";
import { label, t } from "../i18n.js";
import * as time from "../time.js";
import { Icon, Text, actorName, agentName, at } from "./bits.js";

const SIGNS = {
  task_completed: ["check", "ok"], task_failed: ["bad", "bad"], task_requeued: ["retry", "warn"], task_claimed: ["play", "purple"],
    task_progress: ["activity", "muted"],
  task_created: ["plus", "accent"], task_cancelled: ["block", "muted"], task_released: ["retry", "muted"], task_reopened: ["retry", "accent"],
    task_edited: ["tasks", "muted"],
  directive_sent: ["directives", "accent"], directive_claimed: ["play", "purple"], directive_done: ["check", "ok"], directive_failed: ["bad", "bad"],
    directive_canceled: ["block", "muted"], directive_requeued: ["retry", "warn"],
  agent_joined: ["user", "ok"], agent_left: ["user", "muted"], agent_retired: ["user", "muted"], knowledge_added: ["knowledge", "accent"],
    knowledge_retracted: ["knowledge", "muted"], knowledge_superseded: ["knowledge", "muted"],
  memory_set: ["memory", "accent"], goal_created: ["goals", "accent"], goal_closed: ["goals", "ok"], usage_reported: ["usage", "muted"],
};
const BAD = new Set(["task_failed", "task_requeued", "directive_failed", "directive_requeued"]);

export const sign = (kind) => SIGNS[kind] || ["info", "muted"];
export const isBad = (e) => BAD.has(e.kind);

/** subject is what an event is about: its type, id, number, words and address. */
export function subject(e) {
  const [type, id] = split(e.entity);
  const row = { task: store.tasks, goal: store.goals, directive: store.directives, knowledge: store.knowledge, memory: store.memory,
    agent: store.agents }[type]?.get(id);
  const p = { ...row, ...e.patch, ...(row && { title: row.title, instruction: row.instruction }) };
  const number = p.number || "";
  switch (type) {
    case "task": return { type, id, number, text: p.title || "", to: at(["tasks", number ? number.slice(1) : id]) };
    case "goal": return { type, id, number, text: p.title || "", to: at(["goals", number ? number.slice(1) : id]) };
    case "directive": return { type, id, number, text: p.instruction || "", to: at(["directives"], { id: number ? number.slice(1) : id }) };
    case "knowledge": return { type, id, number: "", text: p.title || id.slice(0, 12), to: at(["knowledge", id]) };
    case "memory": return { type, id, number: "", text: id, to: at(["memory", id]) };
    case "agent": return { type, id, number: "", text: p.display_name || agentName(id), to: at(["agents", p.display_name || id]) };
    default: return { type, id, number: "", text: id, to: "" };
  }
}

const again = (e) => e.kind.endsWith("_requeued");
const WHY = { lease_expired: "lease_lapsed", agent_left: "gave_back", released: "gave_back" };

/** did is what the actor of an event did. That work is offered again is the server's doing: its actor is who had it. */
export const did = (e) => label("did", again(e) ? WHY[e.reason] || "task_failed" : e.kind);

/** note is what an event says beside its subject. */
export function note(e) {
  const p = e.patch || {};
  if (again(e)) return t("event.again");
  const v = { task_progress: p.note, task_completed: p.result_summary, task_failed: p.note, directive_done: p.result_summary,
    directive_failed: p.result_summary }[e.kind];
  if (e.kind === "task_progress" && p.progress_pct !== undefined) return `${p.progress_pct} %${typeof v === "string" && v ? ` · ${v}` : ""}`;
  return typeof v === "string" ? v : "";
}

/** EventLine is an event on one narrow line. */
export const EventLine = memo(({ event: e }) => {
  const s = subject(e);
  const [icon, tone] = sign(e.kind);
  const self = s.type === "agent" && s.id === e.actor;
  return html`<li class="eline"><time class="muted small" title=${time.full(e.ts)}>${time.hms(e.ts)}</time><span class=${tone}><${Icon} name=${icon}
    size="13" /></span>
    <span class="cut2"><strong class="cut" title=${self ? s.text : e.actor}><${Text} of=${self ? s.text : actorName(e.actor)} /></strong>${" "}
      ${did(e)}${" "}${!self && html`<a href=${s.to} title=${s.text}>${s.number || html`<${Text} of=${s.text} />`}</a>`}
        ${again(e) && ` — ${note(e)}`}</span></li>`;
});
