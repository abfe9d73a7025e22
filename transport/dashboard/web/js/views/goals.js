// The goals, and how each came on.
import { html, useRef, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useSlow, useTopics } from "../app.js";
import { closeGoal } from "../actions.js";
import * as api from "../api.js";
import { percent } from "../figures.js";
import { label, num, t } from "../i18n.js";
import { setQuery } from "../router.js";
import { numberOf } from "../store.js";
import { Empty, Failed, Head, Icon, Locked, Progress, Rich, Skeleton, Status, Text, at } from "../ui/bits.js";
import { BurnUp, Forecast } from "../ui/burnup.js";
import { useFresh } from "../ui/chart.js";
import { FormDialog } from "../ui/dialog.js";
import { Panel } from "../ui/panel.js";
import { toast } from "../ui/toast.js";

const PAGE = 100;

export default function Goals({ rest, query }) {
  useTopics("session", "conn");
  useSlow(500, () => store.head, ["goals", "counts"]); // many a task changes in a second, and every time its goal with it
  const older = useOlder();
  const all = [...store.goals.values(), ...older.goals.filter((g) => !store.goals.has(g.goal_id))].sort((a, b) => numberOf(a) - numberOf(b));
  const open = all.filter((g) => !g.closed);
  const closed = all.filter((g) => g.closed).reverse();
  const [most, setMost] = useState(PAGE);
  const [unfolded, unfold] = useState(false);
  const ref = rest[0];
  const chosen = ref && all.find((g) => g.number === `#${ref}` || g.goal_id === ref);
  const add = can("console") && html`<button class="btn primary" disabled=${!connected()} onClick=${() => setQuery({ new: 1 })}><${Icon} name="plus" />${t("goals.new")}</button>`;
  return html`<${Head} title=${t("nav.goals")} sub=${t("goals.open", { n: open.length })}>${add || html`<${Locked} />`}</${Head}>
    <div class=${`aside2${ref ? " picked" : ""}`}>
      <nav class="panel list" aria-label=${t("nav.goals")}><ul>
        <${Item} number="" title=${t("goals.all")} total=${store.counts.weight} done=${store.counts.done} on=${!ref} />
        ${open.slice(0, most).map((g) => html`<${Item} key=${g.goal_id} ...${of(g)} on=${g === chosen} />`)}</ul>
        ${open.length > most && html`<button class="btn quiet w" onClick=${() => setMost(most + PAGE)}>${t("chart.more", { n: open.length - most })}</button>`}
        ${closed.length > 0 && html`<details open=${Boolean(chosen?.closed)} onToggle=${(e) => unfold(e.target.open)}><summary>${t("goals.closed", { n: closed.length })}</summary>${(unfolded || chosen?.closed) && html`<ul>${closed.map((g) => html`<${Item} key=${g.goal_id} ...${of(g)} on=${g === chosen} />`)}</ul>`}</details>`}
        ${older.more(closed.length) && html`<button class="btn quiet w" disabled=${older.busy} onClick=${older.load}>${t("more.older")}</button>`}</nav>
      <div class="stack">${ref && html`<a class="btn quiet s back" href=${at(["goals"])}><${Icon} name="chevron" />${t("goals.back")}</a>`}
        ${all.length === 0 && !store.tasks.size ? html`<section class="panel"><${Empty} text=${t("goals.none")}>${add}</${Empty}></section>`
          : ref && !chosen ? html`<section class="panel"><${Empty} text=${t("error.notfound")} /></section>` : html`<${Goal} key=${chosen?.goal_id || ""} goal=${chosen} />`}</div></div>
    ${query.get("new") && can("console") && html`<${NewGoal} onClose=${() => setQuery({ new: null })} />`}`;
}

const of = (g) => {
  const p = store.goalProgress.get(g.goal_id) || { total: g.total_weight || 0, done: g.done_weight || 0 };
  return { number: g.number.slice(1), title: g.title, total: p.total, done: p.done, closed: g.closed };
};

function Item({ number, title, total, done, on, closed }) {
  return html`<li><a href=${at(["goals", ...(number ? [number] : [])])} aria-current=${on ? "page" : undefined}>
    <span class="row"><span class="cut sp"><${Text} of=${title} /></span>${closed && html`<${Icon} name="check" size="12" />`}<span class="muted">${total ? `${percent(done, total)} %` : "–"}</span></span>
    <${Progress} value=${percent(done, total)} label=${title} tone=${total > 0 && done === total ? "ok" : ""} /></a></li>`;
}

function Goal({ goal }) {
  const id = goal?.goal_id;
  const fresh = useFresh(3000, id ? `goal/${id}` : "counts");
  const { data: b, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "burnup"), { goal: id }, signal), [id, fresh]);
  const p = id ? store.goalProgress.get(id) || { total: goal.total_weight || 0, done: goal.done_weight || 0, tasks: goal.tasks || {} } : { total: store.counts.weight, done: store.counts.done, tasks: store.counts.tasks };
  const reached = p.total > 0 && p.done === p.total;
  return html`<${Panel} id="goal" title=${goal ? html`<span class="no">${goal.number}</span> <${Text} of=${goal.title} />` : t("goals.all")}
      end=${goal && !goal.closed && can("console") ? html`<button class="btn s" disabled=${!connected()} onClick=${() => closeGoal(id)}><${Icon} name="check" />${t("goals.close")}</button>` : goal?.closed && html`<span class="badge ok"><${Icon} name="check" size="11" />${t("goals.isclosed")}</span>`}>
      <div class="stack">
      ${goal?.description && html`<${Rich} of=${goal.description} />`}
      <dl class="figures"><div><dt>${t("progress")}</dt><dd>${percent(p.done, p.total)} %</dd></div>
        <div><dt>${t("goals.doneof")}</dt><dd>${num(p.done)} <small>/ ${num(p.total)}</small></dd></div>
        ${b && html`<div><dt>${t("burnup.rate")}</dt><dd>${b.rate_per_h ? num(Math.round(b.rate_per_h * 10) / 10) : "–"} <small>${t("burnup.perhour")}</small></dd></div>
          <div class="eta"><dt>${t("burnup.eta")}</dt><dd class="plain"><${Forecast} data=${b} /></dd></div>`}</dl>
      <${Progress} big value=${percent(p.done, p.total)} label=${goal?.title || t("goals.all")} tone=${reached ? "ok" : ""} />
      ${b ? html`<${BurnUp} data=${b} />` : error ? error.status !== 404 && html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`}</div></${Panel}>
    <${Tasks} goal=${goal} counts=${p.tasks} />`;
}

const SHOWN = 12;
const FIRST = { in_progress: 0, claimed: 0, blocked: 1, open: 2, failed: 3, done: 4, cancelled: 5 };

/** Tasks are the first that a goal has, what is at work before what waits. */
function Tasks({ goal, counts }) {
  const number = goal?.number.slice(1);
  const list = useSlow(1000, () => [...store.tasks.values()].filter((x) => !goal || x.goal_id === goal.goal_id)
    .sort((a, b) => FIRST[a.status] - FIRST[b.status] || b.priority - a.priority || numberOf(a) - numberOf(b)).slice(0, SHOWN), ["tasks"], [goal?.goal_id]);
  const total = Object.values(counts || {}).reduce((n, x) => n + x, 0);
  return html`<${Panel} id="goal-tasks" title=${t("nav.tasks")} count=${num(total)} flush end=${html`<a class="btn s" href=${at(["tasks"], { goal: number })}>${t("overview.board")}</a><a class="btn s" href=${at(["tasks"], { view: "graph", goal: number })}>${t("tasks.graph")}</a>`}>
    ${list.length === 0 ? html`<${Empty} text=${t("goals.notasks")} />` : html`<ul class="rowlist">${list.map((x) => html`<li key=${x.task_id}>
      <a class="cut sp" href=${at(["tasks", x.number.slice(1)])}><span class="no">${x.number}</span> <${Text} of=${x.title} /></a><span class="muted small nowrap">${t("tasks.w", { n: x.weight })}</span><${Status} of=${x.status === "open" ? store.column(x) : x.status} /></li>`)}</ul>
      ${total > SHOWN && html`<a class="btn quiet w" href=${at(["tasks"], { view: "list", goal: number })}>${t("goals.alltasks", { n: total })}</a>`}`}</${Panel}>`;
}

/** useOlder pages through closed goals that are not kept here. */
function useOlder() {
  const [state, setState] = useState({ goals: [], cursor: "", done: false, busy: false });
  const load = async () => {
    setState({ ...state, busy: true });
    try {
      const page = await api.get(api.teamParts(app.team, "goals"), { cursor: state.cursor, limit: 200 });
      setState({ goals: [...state.goals, ...page.goals], cursor: page.next_cursor, done: !page.next_cursor, busy: false });
    } catch (e) {
      toast(e.message, "bad");
      setState({ ...state, busy: false });
    }
  };
  return { ...state, load, more: (closed) => closed >= 100 && !state.done };
}

function NewGoal({ onClose }) {
  const key = useRef(api.idem());
  const submit = (f) => api.post(api.teamParts(app.team, "goals"), { title: f.get("title").trim(), description: f.get("description") || undefined, idem_key: key.current });
  return html`<${FormDialog} title=${t("goals.new")} action=${t("task.create")} onClose=${onClose} onSubmit=${submit}>
    <div class="field"><label for="g-title">${t("head.title")}</label><input class="input w" id="g-title" name="title" required maxlength="256" autofocus /></div>
    <div class="field"><label for="g-desc">${t("task.description")}</label><textarea class="input" id="g-desc" name="description" rows="4"></textarea></div></${FormDialog}>`;
}
