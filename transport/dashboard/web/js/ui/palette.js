// The palette: go to a view, to "#12", to an agent, find a task or a finding, or do something.
import { html, useEffect, useId, useRef, useState } from "../lib.js";
import { app, can, set, settings, store } from "../app.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import { go, href } from "../router.js";
import { VIEWS } from "../views.js";
import { Dialog } from "./dialog.js";
import { Icon, Text, at, placeOf } from "./bits.js";
import { cycleTheme } from "./theme.js";

const MOST = 8;

export default function Palette({ onClose }) {
  const [text, setText] = useState("");
  const [index, setIndex] = useState(0);
  const [found, setFound] = useState([]);
  const id = useId();
  const list = useRef();
  const query = text.trim().toLowerCase();

  useEffect(() => {
    setFound([]);
    if (query.length < 2 || query.startsWith("#") || query.startsWith("@") || !app.team) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      api.get(api.teamParts(app.team, "knowledge"), { query, limit: 5, view: "brief" }, stop.signal).then((r) => setFound(r.items), () => {});
    }, 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [query]);

  const options = [...numbers(query), ...agents(query), ...views(query), ...tasks(query), ...findings(found), ...commands(query)];
  const chosen = Math.min(index, options.length - 1);
  useEffect(() => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }), [chosen]);

  const run = (o) => {
    onClose();
    if (o.to) go(o.to);
    else o.run();
  };
  const onKey = (e) => {
    if (e.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) setIndex((chosen + step + options.length) % options.length);
    else if (e.key === "Enter" && options[chosen]) run(options[chosen]);
    else return;
    e.preventDefault();
  };
  let group = "";
  return html`<${Dialog} bare class="palette" title=${t("palette.title")} onClose=${onClose}><div class="in">
    <input class="input" autofocus value=${text} placeholder=${t("palette.hint")} aria-label=${t("palette.title")} role="combobox"
      aria-expanded=${options.length > 0} aria-controls=${id}
      aria-activedescendant=${options[chosen] ? `${id}-${chosen}` : undefined} autocomplete="off" spellcheck="false"
      onInput=${(e) => { setText(e.target.value); setIndex(0); }} onKeyDown=${onKey} />
    ${options.length === 0 && html`<p class="empty" role="status">${t("palette.none")}</p>`}
    <div class="options" id=${id} role="listbox" aria-label=${t("palette.title")} ref=${list} hidden=${options.length === 0}>
      ${options.map((o, i) => {
        const head = o.group !== group && html`<div class="group" role="presentation">${t(`palette.${(group = o.group)}`)}</div>`;
        return html`${head}<div role="option" id=${`${id}-${i}`} key=${o.key} aria-selected=${i === chosen}
          onMouseMove=${() => i !== chosen && setIndex(i)} onClick=${() => run(o)}>
          <${Icon} name=${o.icon} /><span class="cut sp"><${Text} of=${o.label} /></span>${o.side && html`<span class="muted small nowrap">${o.side}
            </span>`}</div>`;
      })}</div></div></${Dialog}>`;
}

/** all leads to the view where the rest of a group is. */
const all = (group, view, query) => ({ group, key: `all ${group}`, icon: "search", label: t("palette.all"), to: at([view], query) });

const has = (name, query) => !query || name.toLowerCase().includes(query);

function numbers(query) {
  if (!/^#?\d+$/.test(query)) return [];
  const number = query.startsWith("#") ? query : `#${query}`;
  const [table, id] = store.lookup(number) || [];
  const row = table && store[table].get(id);
  // What is not among the rows may still be a task that ended long ago.
  return [{ group: "jump", key: number, icon: table || "tasks", label: `${number} ${row?.title || row?.instruction || ""}`, to: placeOf(number) ||
    at(["tasks", number.slice(1)]) }];
}

function agents(query) {
  const name = query.replace(/^@/, "");
  if (!query) return [];
  const list = [];
  for (const a of store.agents.values()) {
    if (a.left || !has(a.display_name, name)) continue;
    if (list.length === MOST) return [...list, all("agents", "agents", { q: name })];
    list.push({ group: "agents", key: a.agent_id, icon: "user", label: a.display_name,
      side: label("presence", store.stateOf(a.agent_id)), to: at(["agents", a.display_name]) });
  }
  return list;
}

function views(query) {
  if (!app.team || query.startsWith("@")) return [];
  return VIEWS.filter((v) => has(t(v.label), query)).map((v) =>
    ({ group: "views", key: v.label, icon: v.icon, label: t(v.label), side: settings.keys ? `g ${v.key}` : "", to: at(v.name ? [v.name] : []) }));
}

function tasks(query) {
  if (query.length < 2 || /^[#@]/.test(query)) return [];
  const list = [];
  for (const x of store.tasks.values()) {
    if (!has(x.title, query)) continue;
    if (list.length === MOST) return [...list, all("tasks", "tasks", { view: "list", q: query })];
    list.push({ group: "tasks", key: x.task_id, icon: "tasks", label: `${x.number} ${x.title}`,
      side: label("status", x.status), to: at(["tasks", x.number.slice(1)]) });
  }
  return list;
}

const findings = (found) => found.map((f) =>
  ({ group: "knowledge", key: f.content_id, icon: "knowledge", label: f.title, to: at(["knowledge", f.content_id]) }));

function commands(query) {
  const list = [
    app.team && can("dispatch") && ["cmd.directive", "directives", () => go(at(["directives"], { new: 1 }))],
    app.team && can("dispatch") && ["cmd.task", "plus", () => go(at(["tasks"], { new: 1 }))],
    app.team && [store.paused ? "cmd.resume" : "cmd.pause", store.paused ? "play" : "pause", () => store.pause(!store.paused)],
    ["cmd.theme", "theme", cycleTheme],
    ["cmd.language", "settings", () => set({ locale: settings.locale === "zh-CN" || document.documentElement.lang === "zh-CN" ? "en" : "zh-CN" })],
    ["cmd.keys", "info", () => app.showKeys()],
    ["cmd.teams", "teams", () => go(href(["teams"]))],
  ];
  return list.filter((c) => c && has(t(c[0]), query)).map(([key, icon, run]) => ({ group: "commands", key, icon, label: t(key), run }));
}
