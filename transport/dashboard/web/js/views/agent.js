// One agent: what it writes, what it works on, what it was told, and what is known of it.
import { html, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useTopics } from "../app.js";
import { changeTask, retire } from "../actions.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, setQuery } from "../router.js";
import * as time from "../time.js";
import { Dot, Empty, Failed, Head, Icon, Lease, Skeleton, Status, Text, Title, When, at } from "../ui/bits.js";
import { FormDialog, Menu } from "../ui/dialog.js";
import { OutputView } from "../ui/output.js";
import { Tabs } from "../ui/tabs.js";

export function AgentDetail({ name, query }) {
  useTopics("agents", "presence", "tasks", "leases", "session", "conn");
  const agent = [...store.agents.values()].find((a) => a.display_name === name) || store.agents.get(name);
  const order = [...store.agents.values()].filter((a) => !a.left && !a.retired).sort((a, b) => a.display_name.localeCompare(b.display_name));
  const cycle = (by) => () => {
    const i = order.indexOf(agent);
    go(at(["agents", order[(i + by + order.length) % order.length].display_name], Object.fromEntries(query)), { replace: true });
  };
  useKeys(order.length > 1 ? { "shift+ArrowDown": cycle(1), "shift+ArrowUp": cycle(-1) } : {});
  const { data, error, again } = useLoad(async (signal) => agent && api.get(api.teamParts(app.team, "agents", agent.agent_id, "detail"), {}, signal).then((d) => (store.listed([d.agent]), d)),
    [agent?.agent_id]);
  if (!agent) return html`<${Head} title=${name} /><${Empty} text=${t("error.notfound")}><a class="btn" href=${at(["agents"])}>${t("agents.index")}
    </a></${Empty}>`;
  const tab = ["tasks", "directives", "about"].includes(query.get("tab")) ? query.get("tab") : "output";
  const state = store.stateOf(agent.agent_id);
  const p = store.presence.get(agent.agent_id);
  const task = store.current(agent.agent_id);
  const tasks = rowsOf(data?.tasks, store.tasks, "task_id", (x) => x.assignee === agent.agent_id);
  const directives = rowsOf(data?.directives, store.directives, "directive_id", (d) => d.to_agent === agent.agent_id);
  return html`<div class="head agenth"><${Dot} state=${state} /><${Title} class="cut"><${Text} of=${agent.display_name} /></${Title}>
      <span class="sub">${label("presence", state)}${store.seen(agent.agent_id) ? html` · ${t("agent.seen")} <${When}
        ts=${store.seen(agent.agent_id)} />` : ""}${data?.agent.client_info?.name ?
          ` · ${data.agent.client_info.name} ${data.agent.client_info.version || ""}` : ""}</span>
      <div class="end">${can("dispatch") && html`<a class="btn" href=${at(["directives"], { new: 1, to: agent.display_name })}><${Icon}
        name="directives" />${t("act.send")}</a>`}
        <a class="btn" href=${at(["agents"], { watch: agent.display_name })}><${Icon} name="graph" />${t("agents.side")}</a><${More} agent=${agent}
          task=${task} /></div></div>
    ${task && html`<p class="now"><a class="cut" href=${at(["tasks", task.number.slice(1)])}><span class="no">${task.number}</span> <${Text}
      of=${task.title} /></a><span class="nowrap muted">${task.progress_pct} %</span><${Lease} entity=${`task/${task.task_id}`}
        ttl=${task.lease_ttl_s} />${p?.status && html`<${Text} class="muted cut" of=${p.status} />`}</p>`}
    <${Tabs} label=${agent.display_name} value=${tab} onChange=${(v) => setQuery({ tab: v === "output" ? null : v })}
      items=${[["output", t("agent.output")], ["tasks", t("nav.tasks"), data ? tasks.length : undefined],
        ["directives", t("nav.directives"), data ? directives.length : undefined], ["about", t("agent.about")]]} />
    ${tab === "output" && html`<div class="panel grow obox" role="tabpanel" id="panel-output"><${OutputView} agent=${agent.agent_id} /></div>`}
    ${tab !== "output" && html`<div class="grow scroll" role="tabpanel" id=${`panel-${tab}`} tabindex="0">${error ? html`<${Failed} error=${error}
      again=${again} />` : !data ? html`<${Skeleton} />`
      : tab === "tasks" ? html`<${Tasks} tasks=${tasks} more=${data.tasks_next_cursor}
        name=${agent.display_name} />` : tab === "directives" ? html`<${Directives} list=${directives} more=${data.directives_next_cursor}
          name=${agent.display_name} />` : html`<${About} agent=${agent} info=${data.agent} />`}</div>`}`;
}

/** rowsOf is what was loaded, as it is now, and what has come since. */
function rowsOf(loaded, live, key, mine) {
  const rows = new Map((loaded || []).map((x) => [x[key], { ...x, ts: x.updated_at }]));
  for (const x of live.values()) if (mine(x)) rows.set(x[key], { ...rows.get(x[key]), ...x });
  return [...rows.values()].sort((a, b) => (b.ts || 0) - (a.ts || 0));
}

function More({ agent, task }) {
  const [dialog, setDialog] = useState("");
  if (!can("console") || !connected()) return null;
  const close = () => setDialog("");
  return html`<${Menu} small=${false} label=${t("agent.menu")}
    items=${[task && { label: t("agent.release", { number: task.number }), icon: "retry", run: () => setDialog("release") }, !agent.retired &&
      { label: t("agent.retire"), icon: "close", danger: true, run: () => setDialog("retire") }]} />
    ${dialog === "release" && html`<${FormDialog} title=${t("task.ask.release", { number: task.number })} action=${t("task.do.release")}
      onClose=${close} onSubmit=${() => changeTask(task, "release")}><p><${Text} of=${task.title} /></p></${FormDialog}>`}
    ${dialog === "retire" && html`<${FormDialog} danger title=${t("agent.askretire", { name: agent.display_name })} action=${t("agent.retire")}
      onClose=${close} onSubmit=${() => retire(agent.agent_id)}><p>${t("agent.retiretext")}</p></${FormDialog}>`}`;
}

function Tasks({ tasks, more, name }) {
  if (!tasks.length) return html`<${Empty} text=${t("agent.notasks")} />`;
  return html`<ul class="panel rowsx">${tasks.map((x) => html`<li key=${x.task_id}><span class="no">${x.number}</span>
    <a class="cut" href=${at(["tasks", x.number.slice(1)])}><${Text} of=${x.title} /></a><${Status} of=${x.status} /><${When} class="muted small"
      ts=${x.ts} /></li>`)}</ul>
    ${more && html`<p class="under"><a href=${at(["tasks"], { view: "list", agent: name })}>${t("agent.moretasks")}</a></p>`}`;
}

function Directives({ list, more, name }) {
  if (!list.length) return html`<${Empty} text=${t("agent.nodirectives")} />`;
  return html`<ul class="panel rowsx">${list.map((d) => html`<li key=${d.directive_id}><span class="no">${d.number}</span>
    <a class="cut" href=${at(["directives"], { id: d.number.slice(1) })}><${Text} of=${d.instruction} /></a><${Status} of=${d.status}
      group="directive" /><${When} class="muted small" ts=${d.ts} /></li>`)}</ul>
    ${more && html`<p class="under"><a href=${at(["directives"], { agent: name })}>${t("agent.moredirectives")}</a></p>`}`;
}

function About({ agent, info }) {
  const c = info.client_info || {};
  return html`<div class="panel"><div class="body"><dl class="dl"><dt>${t("agent.id")}</dt><dd class="mono">${agent.agent_id}</dd>
    <dt>${t("agent.joined")}</dt><dd>${time.full(agent.joined_at)}</dd><dt>${t("agent.caps")}</dt><dd class="row wrap">
      ${(agent.capabilities || []).length ? agent.capabilities.map((x) => html`<span class="chip" key=${x}><${Text} of=${x} /></span>`) : "–"}</dd>
    ${Object.entries(c).map(([k, v]) => html`<dt key=${k}>${label("client", k)}</dt><dd><${Text}
      of=${typeof v === "object" ? JSON.stringify(v) : v} /></dd>`)}
    ${(agent.left || agent.retired) && html`<dt>${t("head.status")}</dt><dd>${t(agent.retired ? "agents.retired" : "agents.left")}</dd>`}</dl>
      </div></div>`;
}
