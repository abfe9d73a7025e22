// One task: all that is known of it, who held it, and what a console can do with it.
import { html, useRef, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useTopics } from "../app.js";
import { changeTask, createTask, editTask } from "../actions.js";
import * as api from "../api.js";
import { visible } from "../ansi.js";
import { label, num, t } from "../i18n.js";
import { isFinal } from "../store.js";
import * as time from "../time.js";
import { Agent, Copy, Failed, Icon, Lease, Progress, Rich, Skeleton, Status, Text, When, at } from "../ui/bits.js";
import { AgentField, byName, names } from "../ui/agentselect.js";
import { Drawer, FormDialog, Menu } from "../ui/dialog.js";
import { EventLine } from "../ui/event.js";

export function TaskDrawer({ id, onClose, step }) {
  useTopics("tasks", "session", "conn");
  const found = store.tasks.get(id) || store.tasks.get(store.lookup(id)?.[1]);
  const ref = found?.task_id || (/^\d+$/.test(id) ? `#${id}` : id);
  // Who held it is not in the feed: it is asked for again when the holder or the state changes.
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "tasks", ref), {}, signal),
    [ref, found?.status, found?.fencing_token]);
  const task = found ? { ...data, ...found, ...longTexts(data, found) } : data && { ...data, ts: data.updated_at };
  const header = !task ? html`<span class="no">${/^\d+$/.test(id) ? `#${id}` : ""}</span>` : html`<span class="no">${task.number}</span><${Status} of=${task.status === "open" ? columnOf(task) : task.status} />
    ${task.priority > 0 && html`<span class="prio">P${task.priority}</span>`}`;
  return html`<${Drawer} label=${t("task.label", { number: task?.number || id })} onClose=${onClose} onPrev=${step(-1, task)} onNext=${step(1, task)}
    header=${header}>
    ${task ? html`<${Task} task=${task} claims=${data?.claims} />` : error ? html`<${Failed} error=${error}
      again=${again} />` : html`<${Skeleton} />`}</${Drawer}>`;
}

/** longTexts are those that a patch carries as a length only. */
function longTexts(data, row) {
  const out = {};
  for (const k of ["description", "result_summary", "note", "checkpoint"]) if (row[k] && typeof row[k] === "object" &&
    typeof data?.[k] === "string") out[k] = data[k];
  return out;
}

const columnOf = (task) => (store.tasks.has(task.task_id) ? store.column(task) : task.status);

function Task({ task, claims }) {
  const goal = store.goals.get(task.goal_id);
  const held = task.assignee && !isFinal(task.status);
  return html`<div class="stack">
    <h2 class="big"><${Text} of=${task.title} /></h2>
    ${can("console") && html`<${Actions} task=${task} />`}
    <dl class="dl">
      ${task.assignee && html`<dt>${t(held ? "task.holder" : "task.last")}</dt><dd><${Agent} id=${task.assignee} dot=${Boolean(held)} /></dd>`}
      ${held && html`<dt>${t("lease")}</dt><dd><${Lease} entity=${`task/${task.task_id}`} ttl=${task.lease_ttl_s} bar /></dd>`}
      ${(held || task.progress_pct > 0) && html`<dt>${t("progress")}</dt><dd class="row"><span class="sp"><${Progress} value=${task.progress_pct} />
        </span>${task.progress_pct} %</dd>`}
      ${goal && html`<dt>${t("task.goal")}</dt><dd><a href=${at(["goals", goal.number.slice(1)])}><${Text} of=${goal.title} /></a></dd>`}
      <dt>${t("head.weight")}</dt><dd>${num(task.weight)}</dd>
      ${task.attempts > 0 && html`<dt>${t("head.attempts")}</dt><dd>${t("task.attempts", { n: task.attempts, max: task.max_attempts })}</dd>`}
      ${task.required_capabilities?.length > 0 && html`<dt>${t("filter.label")}</dt><dd class="row wrap">
        ${task.required_capabilities.map((c) => html`<span class="chip" key=${c}>${c}</span>`)}</dd>`}
      ${task.not_before > time.now() && html`<dt>${t("task.notbefore")}</dt><dd>${time.full(task.not_before)}</dd>`}
      <dt>${t("task.created")}</dt><dd><${When} ts=${task.created_at} /></dd>
      <dt>${t("task.changed")}</dt><dd><${When} ts=${task.ts} /></dd></dl>
    <${Part} title=${t("task.description")} text=${task.description} />
    <${Part} title=${t("task.note")} text=${task.note} />
    <${Part} title=${t("task.checkpoint")} text=${task.checkpoint} mono />
    <${Part} title=${t(task.status === "done" ? "task.result" : "task.lastresult")} text=${task.result_summary} />
    <${Links} title=${t("task.needs")} ids=${task.depends_on} />
    <${Links} title=${t("task.unblocks")} ids=${[...(store.dependants.get(task.task_id) || [])]} />
    <${Claims} claims=${claims} />
    <${Events} entity=${`task/${task.task_id}`} /></div>`;
}

function Part({ title, text, mono }) {
  if (!text) return null;
  return html`<section><div class="row"><h3>${title}</h3><span class="sp"></span>${typeof text === "string" && html`<${Copy} text=${text} />`}</div>
    <div class=${`box${mono ? " mono" : ""}`}><${Rich} of=${text} /></div></section>`;
}

function Links({ title, ids }) {
  if (!ids?.length) return null;
  return html`<section><h3>${title} <span class="count">${ids.length}</span></h3><ul class="deps">${ids.map((id) => {
    const x = store.tasks.get(id);
    return html`<li key=${id}>${x ? html`<${Status} of=${x.status === "open" ? store.column(x) : x.status} />
      <a class="cut" href=${at(["tasks", x.number.slice(1)])}><span class="no">${x.number}</span> <${Text} of=${x.title} /></a>`
      : html`<${Status} of=${store.dead.has(id) ? "failed" : "done"} /><a class="cut mono" href=${at(["tasks", id])}>${id}</a>`}</li>`;
  })}</ul></section>`;
}

const ENDS = { done: "check", failed: "bad", expired: "clock", released: "retry", cancelled: "block" };

function Claims({ claims }) {
  if (!claims?.length) return null;
  return html`<section><h3>${t("task.claims")} <span class="count">${claims.length}</span></h3><ol class="claims">
    ${claims.map((c) => html`<li key=${c.fencing_token}>
    <span class=${{ done: "ok", failed: "bad", expired: "warn" }[c.outcome] || (c.outcome ? "muted" : "purple")}><${Icon}
      name=${ENDS[c.outcome] || "play"} /></span>
    <div><div class="row"><${Agent} id=${c.agent} dot=${false} /><span>${label("outcome", c.outcome || "running")}</span><span class="muted small">
      ${t("task.token", { n: c.fencing_token })}</span></div>
      <div class="muted small">${time.full(c.claimed_at)} · ${c.released_at ? time.took(c.released_at - c.claimed_at) :
        t("task.still")}${c.client_info?.name ? ` · ${c.client_info.name} ${c.client_info.version || ""}` : ""}</div></div></li>`)}</ol></section>`;
}

function Events({ entity }) {
  useTopics(entity);
  const list = store.feed.filter((e) => e.entity === entity).slice(-12).reverse();
  if (!list.length) return null;
  return html`<section><div class="row"><h3 class="sp">${t("task.events")}</h3><a class="small" href=${at(["activity"], { entity })}>
    ${t("all")}</a></div><ul class="box tight">${list.map((e) => html`<${EventLine} key=${e.id} event=${e} />`)}
    </ul></section>`;
}

const HELD = new Set(["claimed", "in_progress", "blocked"]);

/** useTaskActions are what the session may do with a task now, and the dialog that is open for one. */
function useTaskActions(task) {
  const [dialog, setDialog] = useState("");
  if (!can("console")) return [[], null];
  const item = (what, icon, danger) => ({ what, label: t(`task.do.${what}`), icon, danger, run: () => setDialog(what) });
  const over = isFinal(task.status);
  const items = [
    item("edit", "tasks"), !over && item("reassign", "user"), HELD.has(task.status) && item("release", "retry"), over && item("reopen", "retry"),
      !over && item("cancel", "block", true),
  ].filter(Boolean);
  const close = () => setDialog("");
  const node = dialog === "edit" ? html`<${EditTask} task=${task} onClose=${close} />` : dialog === "reassign" ? html`<${Reassign} task=${task}
    onClose=${close} />` : dialog ? html`<${Change} task=${task} what=${dialog} onClose=${close} />` : null;
  return [items, node];
}

function Actions({ task }) {
  const [items, dialog] = useTaskActions(task);
  return html`<div class="row wrap">${items.map((a) => html`<button key=${a.what} class=${`btn s${a.danger ? " danger" : ""}`}
    disabled=${!connected()} title=${connected() ? undefined : t("error.unreachable")} onClick=${a.run}><${Icon} name=${a.icon} size="13" />${a.label}
      </button>`)}</div>${dialog}`;
}

export function TaskMenu({ task }) {
  const [items, dialog] = useTaskActions(task);
  if (!items.length) return null;
  return html`<${Menu} label=${t("task.menu", { number: task.number })} items=${connected() ? items : []} />${dialog}`;
}

const verb = (what) => t(`task.do.${what}`).replace(/…$/, "");

function Change({ task, what, onClose }) {
  return html`<${FormDialog} title=${t(`task.ask.${what}`, { number: task.number })} action=${verb(what)} danger=${what === "cancel"}
    onClose=${onClose} onSubmit=${(f) => changeTask(task, what, { reason: f.get("reason") || undefined })}>
    <p><${Text} of=${task.title} /></p><div class="field"><label for="reason">${t("task.reason")}</label>
      <input class="input w" id="reason" name="reason" maxlength="500" autofocus /></div></${FormDialog}>`;
}

function Reassign({ task, onClose }) {
  const [to, setTo] = useState("");
  const all = names().filter((n) => byName(n).agent_id !== task.assignee).sort((a, b) => stateRank(a) - stateRank(b));
  const submit = (f) => {
    if (!byName(to)) throw new Error(t("composer.nobody"));
    return changeTask(task, "reassign", { to_agent: byName(to).agent_id, reason: f.get("reason") || undefined });
  };
  return html`<${FormDialog} title=${t("task.ask.reassign", { number: task.number })} action=${verb("reassign")} onClose=${onClose}
    onSubmit=${submit}>
    <div class="field"><span class="lab">${t("task.to")}</span><${AgentField} label=${t("task.to")} value=${to} onChange=${setTo} all=${all} required
      autofocus /></div>
    <div class="field"><label for="reason">${t("task.reason")}</label><input class="input w" id="reason" name="reason" maxlength="500" /></div>
      </${FormDialog}>`;
}

const stateRank = (name) => ["healthy", "degraded", "offline"].indexOf(store.stateOf(byName(name).agent_id));

const numbers = (text) => (text || "").split(/[\s,]+/).filter(Boolean).map((x) => (/^\d+$/.test(x) ? `#${x}` : x));

function Fields({ task = {} }) {
  const deps = (task.depends_on || []).map((id) => store.tasks.get(id)?.number || id).join(" ");
  return html`<div class="field"><label for="f-title">${t("head.title")}</label>
    <input class="input w" id="f-title" name="title" required maxlength="256" defaultValue=${task.title || ""} autofocus /></div>
    <div class="field"><label for="f-desc">${t("task.description")}</label><textarea class="input" id="f-desc" name="description" rows="4">
      ${typeof task.description === "string" ? task.description : ""}</textarea></div>
    <div class="row start"><div class="field sp"><label for="f-prio">${t("head.prio")}</label>
      <input class="input w" id="f-prio" name="priority" type="number" min="-1000000" max="1000000" defaultValue=${task.priority || 0} /></div>
      <div class="field sp"><label for="f-weight">${t("head.weight")}</label>
        <input class="input w" id="f-weight" name="weight" type="number" min="0" max="1000000" defaultValue=${task.weight ?? 1} /></div></div>
    <div class="field"><label for="f-deps">${t("task.needs")}</label><input class="input w" id="f-deps" name="deps" defaultValue=${deps}
      placeholder="#12 #15" /><span class="hint">${t("task.depshint")}</span></div>`;
}

const fields = (f) => ({ title: f.get("title").trim(), description: f.get("description") || undefined, priority: +f.get("priority") || 0,
  weight: +f.get("weight"), depends_on: numbers(f.get("deps")) });

export function NewTask({ goal, onClose }) {
  const key = useRef(api.idem());
  const goals = [...store.goals.values()].filter((g) => !g.closed);
  const chosen = store.lookup(goal || "")?.[1];
  const submit = (f) => {
    const caps = f.get("caps").split(/[\s,]+/).filter(Boolean);
    return createTask({ ...fields(f), goal_id: f.get("goal") || undefined, required_capabilities: caps.length ? caps : undefined,
      idem_key: key.current });
  };
  return html`<${FormDialog} title=${t("cmd.task")} action=${t("task.create")} onClose=${onClose} onSubmit=${submit}><${Fields} />
    <div class="row start"><div class="field sp"><label for="f-goal">${t("task.goal")}</label><select class="select w" id="f-goal" name="goal">
      <option value="">${t("filter.nogoal")}</option>${goals.map((g) => html`<option key=${g.goal_id} value=${g.goal_id}
        selected=${g.goal_id === chosen}>${visible(g.title)}</option>`)}</select></div>
      <div class="field sp"><label for="f-caps">${t("filter.label")}</label><input class="input w" id="f-caps" name="caps" placeholder="go docs" />
        </div></div></${FormDialog}>`;
}

function EditTask({ task, onClose }) {
  const submit = (f) => {
    const now = fields(f);
    const was = { title: task.title, description: typeof task.description === "string" ? task.description : undefined, priority: task.priority || 0,
      weight: task.weight };
    const body = {};
    for (const k of Object.keys(was)) if (now[k] !== was[k] && !(now[k] === undefined && !was[k])) body[k] = now[k] ?? "";
    const before = (task.depends_on || []).map((id) => store.tasks.get(id)?.number || id).join(" ");
    if (now.depends_on.join(" ") !== before) body.depends_on = now.depends_on;
    return Object.keys(body).length ? editTask(task.task_id, body) : Promise.resolve();
  };
  return html`<${FormDialog} title=${t("task.ask.edit", { number: task.number })} action=${t("save")} onClose=${onClose} onSubmit=${submit}><${Fields}
    task=${task} /></${FormDialog}>`;
}
