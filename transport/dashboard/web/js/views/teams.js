// All teams that this reader may see; and for the operator, who may come in to each.
import { html, useEffect, useRef, useState } from "../lib.js";
import { isAdmin, useLoad, useTopics } from "../app.js";
import { attempt } from "../actions.js";
import * as api from "../api.js";
import { num, t } from "../i18n.js";
import { href, setQuery } from "../router.js";
import * as time from "../time.js";
import { Command, Copy, Empty, Failed, Head, Icon, Progress, Skeleton, Text, When } from "../ui/bits.js";
import { Dialog, Drawer, FormDialog, Menu } from "../ui/dialog.js";
import { DotIcon } from "../ui/icons.js";
import { useEvery } from "../ui/chart.js";

const POLL_MS = 2000;
const OVERLAPS = [0, 600, 3600, 86_400];

export default function Teams({ query }) {
  useTopics("session");
  const list = useTeams();
  const [dialog, setDialog] = useState(null); // what is open: {what, team?}
  const [secret, setSecret] = useState(null); // shown once
  const archived = query.get("archived") === "1";
  const shown = list.teams.filter((x) => Boolean(x.archived) === archived);
  const old = list.teams.filter((x) => x.archived).length;
  const admin = isAdmin();
  const close = () => setDialog(null);
  const add = admin && html`<button class="btn primary" onClick=${() => setDialog({ what: "create" })}><${Icon} name="plus" />${t("teams.create")}</button>`;
  const tokensOf = query.get("tokens");
  return html`<${Head} title=${t("nav.teams")} sub=${list.loaded && num(shown.length) + (list.next ? "+" : "")}>${(old > 0 || archived) && html`<button class="btn" aria-pressed=${archived} onClick=${() => setQuery({ archived: archived ? null : 1 })}>${t("teams.archived", { n: old })}</button>`}${add}</${Head}>
    ${list.error && !list.loaded ? html`<section class="panel"><${Failed} error=${list.error} again=${list.again} /></section>` : !list.loaded ? html`<section class="panel"><${Skeleton} /></section>`
      : shown.length === 0 ? html`<section class="panel"><${Empty} text=${t(archived ? "teams.noarchived" : admin ? "teams.empty" : list.open ? "teams.none" : "teams.stranger")}>${add || html`<${Command} of="atmcpd team create core" />`}</${Empty}></section>`
        : html`<ul class="teams">${shown.map((x) => html`<${Team} key=${x.team_id} team=${x} rate=${list.rate(x)} admin=${admin} open=${setDialog} />`)}</ul>`}
    ${list.next && html`<button class="btn quiet w" onClick=${list.more}>${t("more.load")}</button>`}
    ${admin && tokensOf && html`<${Tokens} key=${tokensOf} team=${tokensOf} reveal=${setSecret} onClose=${() => setQuery({ tokens: null })} />`}
    ${dialog?.what === "create" && html`<${Create} onClose=${close} reveal=${setSecret} done=${list.again} />`}
    ${dialog?.what === "rename" && html`<${Rename} team=${dialog.team} onClose=${close} done=${list.again} />`}
    ${dialog?.what === "archive" && html`<${Archive} team=${dialog.team} onClose=${close} done=${list.again} />`}
    ${secret && html`<${Secret} ...${secret} onClose=${() => setSecret(null)} />`}`;
}

/** useTeams polls the overview while somebody looks; how busy a team is, is how far its head came. */
function useTeams() {
  const [state, setState] = useState({ teams: [], loaded: false });
  const [pages, setPages] = useState(1);
  const [n, again] = useState(0);
  const beat = useEvery(POLL_MS);
  const heads = useRef(new Map()); // team → [[time, head], …] of the last half minute
  useEffect(() => {
    let off = false;
    load(pages).then((r) => {
      if (off) return;
      for (const x of r.teams) heads.current.set(x.team_id, [...(heads.current.get(x.team_id) || []).filter(([at]) => at > r.now - 30_000), [r.now, x.head]]);
      setState({ ...r, loaded: true });
    }, (error) => off || setState((s) => ({ ...s, error })));
    return () => {
      off = true;
    };
  }, [pages, n, beat]);
  const rate = (x) => {
    const seen = heads.current.get(x.team_id) || [];
    const span = seen.length > 1 ? seen.at(-1)[0] - seen[0][0] : 0;
    return span > 1500 ? Math.round(((seen.at(-1)[1] - seen[0][1]) / span) * 60_000) : null;
  };
  return { ...state, rate, again: () => again(n + 1), more: () => setPages(pages + 1) };
}

async function load(pages) {
  const teams = [];
  let cursor;
  let page;
  for (let i = 0; i < pages; i++) {
    page = await api.get(["api", "overview"], { cursor, limit: 100 });
    teams.push(...page.teams);
    cursor = page.next_cursor;
    if (!cursor) break;
  }
  return { teams, next: cursor, now: page.now, open: page.open_reads };
}

function Team({ team: x, rate, admin, open }) {
  const presence = [["healthy", x.healthy], ["degraded", x.degraded], ["offline", x.offline]].filter(([, n]) => n > 0);
  const items = admin ? [
    { label: t("teams.tokens"), icon: "lock", run: () => setQuery({ tokens: x.team }) }, { label: t("teams.rename"), icon: "settings", run: () => open({ what: "rename", team: x }) },
    x.archived ? { label: t("teams.restore"), icon: "retry", run: () => attempt(() => api.patch(["api", "teams", x.team], { archived: false }), t("toast.done")) } : { label: t("teams.archive"), icon: "block", danger: true, run: () => open({ what: "archive", team: x }) },
  ] : [];
  const menu = items.length > 0 ? html`<${Menu} label=${t("teams.menu", { team: x.team })} items=${items} />` : html`<span></span>`;
  if (x.archived) return html`<li class="panel team0"><span class="name sp"><${Text} of=${x.team} /></span><span class="badge">${t("teams.isarchived")}</span>${menu}</li>`;
  // As the columns of the board, where these lead: what waits for its time is ready, and what its holder called blocked is.
  const ready = x.ready + x.delayed;
  const active = (x.tasks.claimed || 0) + (x.tasks.in_progress || 0);
  const blocked = x.blocked + (x.tasks.blocked || 0);
  const place = (view, q) => href(["t", x.team, ...(view ? [view] : [])], q);
  return html`<li class="panel team1"><a class="name" href=${place()}><${Text} of=${x.team} /></a>
    <span class="row wrap who1">${x.agents_total === 0 ? html`<span class="muted">${t("teams.noagents")}</span>` : html`<a href=${place("agents")}>${t("teams.agents", { n: x.agents_total })}</a>${presence.map(([s, n]) => html`<span class="row tight" key=${s}><span class=${`dot ${s}`}><${DotIcon} state=${s} size="10" /></span>${num(n)}<span class="vh">${t(`presence.${s}`)}</span></span>`)}`}</span>
    <span class="row goal1"><span class="sp"><${Progress} value=${x.goal_progress_pct} label=${t("teams.progress", { team: x.team })} /></span><span class="muted">${x.total_weight ? `${x.goal_progress_pct} %` : "–"}</span></span>
    <span class="row wrap nums">${[["ready", ready], ["blocked", blocked], ["active", active], ["failed", x.tasks.failed || 0]].map(([c, n]) => html`<a key=${c} href=${place("tasks", { view: "list", status: c })} class=${n ? "" : "muted"}>${t(`column.${c}`)} <strong>${num(n)}</strong></a>`)}</span>
    <span class="row hot1">${x.attention > 0 ? html`<a class="badge bad" href=${place()}><${Icon} name="warn" size="11" />${num(x.attention)}<span class="vh">${t("attention.n", { n: x.attention })}</span></a>` : ""}</span>
    <span class="muted small rate1">${rate === null ? "" : rate ? t("teams.rate", { n: rate }) : t("teams.quiet")}</span>
    ${menu}</li>`;
}

function Create({ onClose, reveal, done }) {
  const submit = async (f) => {
    const r = await api.post(["api", "teams"], { name: f.get("name").trim() });
    done();
    reveal({ title: t("teams.created", { team: r.name }), secrets: [[t("teams.jointoken"), r.join_token], [t("teams.viewtoken"), r.dashboard_token]], next: href(["t", r.name, "connect"]) });
  };
  return html`<${FormDialog} title=${t("teams.create")} action=${t("task.create")} onClose=${onClose} onSubmit=${submit}>
    <div class="field"><label for="t-name">${t("teams.name")}</label><input class="input w" id="t-name" name="name" required maxlength="64" placeholder="core" autocomplete="off" autofocus /></div></${FormDialog}>`;
}

function Rename({ team, onClose, done }) {
  return html`<${FormDialog} title=${t("teams.renameof", { team: team.team })} action=${t("save")} onClose=${onClose} onSubmit=${(f) => api.patch(["api", "teams", team.team], { name: f.get("name").trim() }).then(done)}>
    <div class="field"><label for="t-name">${t("teams.name")}</label><input class="input w" id="t-name" name="name" required maxlength="64" defaultValue=${team.team} autocomplete="off" autofocus /></div>
    <p class="small muted">${t("teams.renamehint")}</p></${FormDialog}>`;
}

function Archive({ team, onClose, done }) {
  const submit = (f) => {
    if (f.get("name") !== team.team) throw new api.ApiError(400, { hint: t("teams.othername") });
    return api.patch(["api", "teams", team.team], { archived: true }).then(done);
  };
  return html`<${FormDialog} danger title=${t("teams.archiveof", { team: team.team })} action=${t("teams.archive")} onClose=${onClose} onSubmit=${submit}>
    <p>${t("teams.archivehint", { n: team.agents_total })}</p><div class="field"><label for="t-name">${t("teams.typename", { team: team.team })}</label><input class="input w" id="t-name" name="name" required autocomplete="off" autofocus /></div></${FormDialog}>`;
}

/** Secret shows tokens once: they are kept nowhere, not even here. */
function Secret({ title, secrets, note, next, onClose }) {
  const [copied, setCopied] = useState(false);
  return html`<${Dialog} title=${title} onClose=${copied ? onClose : undefined}><div class="body"><p class="box warnbox row"><${Icon} name="warn" /><span>${t("secret.once")}</span></p>${note && html`<p>${note}</p>`}
    ${secrets.map(([name, value]) => html`<div class="field" key=${name}><span class="lab">${name}</span><div class="row"><code class="secret sp">${value}</code><span onClick=${() => setCopied(true)}><${Copy} words small=${false} text=${value} /></span></div></div>`)}</div>
    <footer>${next && html`<a class="btn" href=${next} onClick=${onClose}>${t("agents.connect")}</a>`}<button type="button" class="btn primary" onClick=${onClose}>${t("secret.kept")}</button></footer></${Dialog}>`;
}

const ROLES = ["join", "agent", "viewer", "console"];

function Tokens({ team, reveal, onClose }) {
  const { data, error, again } = useLoad(async (signal) => {
    const tokens = [];
    for (let cursor; ;) {
      const page = await api.get(["api", "teams", team, "tokens"], { cursor, limit: 200 }, signal);
      tokens.push(...page.tokens);
      if (!(cursor = page.next_cursor) || tokens.length > 5000) return tokens;
    }
  }, [team]);
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  const sorted = (data || []).slice().sort((a, b) => b.good - a.good || b.created_at - a.created_at);
  return html`<${Drawer} label=${t("tokens.title", { team })} onClose=${onClose} header=${html`<h2>${t("tokens.title", { team })}</h2>`}>
    ${error ? html`<${Failed} error=${error} again=${again} />` : !data ? html`<${Skeleton} />` : html`<div class="stack"><p class="row wrap"><span class="muted sp">${t("tokens.hint")}</span><button class="btn primary" onClick=${() => setDialog({ what: "mint" })}><${Icon} name="plus" />${t("tokens.mint")}</button></p>
      <ul class="tokens">${sorted.map((k) => html`<li key=${k.token_id} class=${k.good ? "" : "gone"}><div class="row"><strong class="cut">${k.name || t(`role.${k.role}`)}</strong>${k.name && html`<span class="badge">${t(`role.${k.role}`)}</span>`}
          ${!k.good ? html`<span class="badge bad">${t(k.revoked_at ? "tokens.revoked" : "tokens.expired")}</span>` : k.expires_at ? html`<span class="badge warn">${t("tokens.until", { time: time.full(k.expires_at).slice(0, -3) })}</span>` : ""}<span class="sp"></span>
          ${k.good && html`<button class="btn s" onClick=${() => setDialog({ what: "rotate", token: k })}>${t("tokens.rotate")}</button><button class="btn s danger" onClick=${() => setDialog({ what: "revoke", token: k })}>${t("tokens.revoke")}</button>`}</div>
        <p class="small muted"><span class="mono">${k.token_id}</span> · ${t("task.created")} <${When} ts=${k.created_at} />${k.successor ? ` · ${t("tokens.successor")}` : ""}</p></li>`)}</ul></div>`}
    ${dialog?.what === "mint" && html`<${Mint} team=${team} reveal=${reveal} onClose=${close} done=${again} />`}
    ${dialog?.what === "rotate" && html`<${Rotate} team=${team} token=${dialog.token} reveal=${reveal} onClose=${close} done=${again} />`}
    ${dialog?.what === "revoke" && html`<${FormDialog} danger title=${t("tokens.askrevoke")} action=${t("tokens.revoke")} onClose=${close} onSubmit=${() => api.del(["api", "teams", team, "tokens", dialog.token.token_id]).then(again)}>
      <p>${t("tokens.revokehint", { name: dialog.token.name || t(`role.${dialog.token.role}`) })}</p></${FormDialog}>`}</${Drawer}>`;
}

function Mint({ team, reveal, onClose, done }) {
  const [role, setRole] = useState("console");
  const submit = async (f) => {
    const r = await api.post(["api", "teams", team, "tokens"], { role, name: f.get("name").trim() || undefined });
    done();
    reveal({ title: t("tokens.made"), secrets: [[r.name || t(`role.${r.role}`), r.token]] });
  };
  return html`<${FormDialog} title=${t("tokens.mint")} action=${t("task.create")} onClose=${onClose} onSubmit=${submit}>
    <div class="field"><label for="k-role">${t("tokens.role")}</label><select class="select w" id="k-role" value=${role} onChange=${(e) => setRole(e.target.value)}>${ROLES.map((r) => html`<option key=${r} value=${r} selected=${r === role}>${t(`role.${r}`)}</option>`)}</select><span class="hint">${t(`tokens.about.${role}`)}</span></div>
    <div class="field"><label for="k-name">${t("tokens.name")}</label><input class="input w" id="k-name" name="name" maxlength="64" required=${role === "console" || role === "agent"} autocomplete="off" /></div></${FormDialog}>`;
}

function Rotate({ team, token, reveal, onClose, done }) {
  const submit = async (f) => {
    const r = await api.post(["api", "teams", team, "tokens", token.token_id, "rotate"], { overlap_s: +f.get("overlap") });
    done();
    reveal({ title: t("tokens.made"), secrets: [[r.name || t(`role.${r.role}`), r.token]], note: r.rotated.good ? t("tokens.oldgood", { time: time.full(r.rotated.expires_at) }) : t("tokens.oldgone") });
  };
  return html`<${FormDialog} title=${t("tokens.rotateof", { name: token.name || t(`role.${token.role}`) })} action=${t("tokens.rotate")} onClose=${onClose} onSubmit=${submit}>
    <div class="field"><label for="k-overlap">${t("tokens.overlap")}</label><select class="select w" id="k-overlap" name="overlap" autofocus>${OVERLAPS.map((s) => html`<option key=${s} value=${s} selected=${s === 600}>${s ? time.took(s * 1000) : t("tokens.atonce")}</option>`)}</select>
      <span class="hint">${t("tokens.overlaphint")}</span></div></${FormDialog}>`;
}
