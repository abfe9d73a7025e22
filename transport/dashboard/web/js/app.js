// What the page has one of: the store, the feed, the session and the reader's settings; and the hooks by which
// views follow them.
import { useEffect, useLayoutEffect, useReducer, useRef, shallowEqual } from "./lib.js";
import * as api from "./api.js";
import { Output } from "./output.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import * as time from "./time.js";

const FLUSH_MS = 100;

export const store = new Store();

// One flush a frame and at most ten a second. A hidden page gets no frame, and with it no flush.
let flushed = 0;
store.schedule = (flush) => {
  const wait = Math.max(0, FLUSH_MS - (performance.now() - flushed));
  setTimeout(() => requestAnimationFrame(() => {
    flushed = performance.now();
    flush();
  }), wait);
};

// Settings: what the reader chose, in this browser only; what somebody is writing, in this tab. No secret is ever here.
const SETTINGS = "atmcp.settings";
const defaults = { theme: "system", locale: "", density: "cards", time: "relative", keys: true, notify: false, wrap: true };
export const settings = { ...defaults, ...read(SETTINGS, {}) };

export function read(key, otherwise, where = "localStorage") {
  try {
    return JSON.parse(globalThis[where].getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function write(key, value, where = "localStorage") {
  try {
    globalThis[where].setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

export function set(changes) {
  Object.assign(settings, changes);
  write(SETTINGS, settings);
  applySettings();
  store.touch("settings");
}

export function applySettings() {
  const root = document.documentElement;
  if (settings.theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = settings.theme;
  time.setTimeStyle(settings.time);
}

// The session: who this browser is to the server.
export const session = { sessions: [], openReads: false, loaded: false, needed: false };

export async function loadSession() {
  const s = await api.get(["api", "session"]);
  Object.assign(session, { sessions: s.sessions, openReads: s.open_reads, loaded: true });
  store.touch("session");
  return session;
}

export const isAdmin = () => session.sessions.some((s) => s.role === "admin");

/** mine is the session that counts for a team. */
export function mine(team = app.team) {
  const own = session.sessions.filter((s) => s.team === team || s.team_id === team);
  return own.find((s) => s.role === "console") || session.sessions.find((s) => s.role === "admin") || own[0];
}

const SCOPES = { admin: ["read", "console", "dispatch", "admin"], console: ["read", "console", "dispatch"], join: ["read", "dispatch"] };

/** can tells whether the session has a scope: "console" edits, "dispatch" sends directives and makes tasks, "admin". */
export function can(scope, team = app.team) {
  const s = mine(team);
  return s ? (SCOPES[s.role] || ["read"]).includes(scope) : scope === "read" && session.openReads;
}

/** connected tells whether what is written now would reach the server. */
export const connected = () => app.conn.name === "live";

// The team that is open, and its feed.
export const app = { team: "", conn: { name: "idle" }, error: null, server: "", skew: false, stats: { gaps: 0, snapshots: 0, violations: 0 },
  stream: null };

/** DRAFTS is where the directives are that somebody has begun to write, by team: they outlive a reload, but no sign-out. */
export const DRAFTS = "atmcp.drafts";

const outputs = new Map(); // agent → {buffer, users, loaded}
let resnapping = null; // frames that came while a snapshot is on its way
let loading = null;

export async function openTeam(team) {
  if (app.team === team && (app.stream || app.error || loading === team)) return;
  closeTeam();
  app.team = loading = team;
  setConn({ name: "connecting" });
  try {
    await snapshot();
  } catch (e) {
    if (loading !== team) return;
    loading = null;
    fail(e);
    return;
  }
  if (loading !== team) return;
  loading = null;
  app.stream = new Stream({ url: feedURL, position: () => ({ since: store.head, epoch: store.epoch }), onFrame, onState });
  app.stream.start();
  attention.start();
  past();
  performance.mark("atmcp:ready");
}

/** past loads what happened last, for who comes in; false where there is nothing older. */
export async function past(limit = 50) {
  const team = app.team;
  const before = store.feed[0]?.id ?? store.head + 1;
  const page = await api.get(api.teamParts(team, "events"), { before, limit }).catch(() => null);
  if (page && team === app.team) store.recall(page.events);
  return Boolean(page?.next_before);
}

export function closeTeam() {
  app.stream?.stop();
  attention.stop();
  Object.assign(app, { stream: null, team: "", error: null });
  loading = resnapping = null;
  outputs.clear();
  store.epoch = "";
  store.presence = new Map();
  store.leases = new Map();
  store.reset();
}

function fail(e) {
  app.error = e;
  if (e.status === 401) need();
  else if (e.status === 0) setTimeout(() => app.error === e && reopen(), 2000);
  setConn({ name: e.status === 401 ? "signedout" : e.status === 404 ? "gone" : "offline", since: Date.now() });
}

/** reopen tries again after what kept the team from opening. */
export function reopen() {
  const team = app.team;
  if (app.stream) return app.stream.resume();
  app.team = "";
  app.error = null;
  return openTeam(team);
}

function need() {
  session.needed = true;
  store.touch("session");
}
api.whenSignedOut(need);

async function snapshot() {
  app.stats.snapshots++;
  const team = app.team;
  const snap = await api.get(api.teamParts(team, "snapshot"), { v: 2 });
  if (team !== app.team) return;
  const restarted = store.epoch && !store.continues(snap);
  store.load(snap);
  if (restarted) {
    app.onRestart?.();
    past();
  }
  learnDead();
}

// Dependencies that ended long ago are not in the snapshot; those that did not end well block their dependants.
async function learnDead() {
  const team = app.team;
  for (const id of [...store.unknown()].slice(0, 200)) {
    const task = await api.get(api.teamParts(team, "tasks", id)).catch(() => null);
    if (team !== app.team) return;
    if (task && task.status !== "done") store.markDead([task.task_id]);
  }
}

function feedURL(kind, q = {}) {
  const team = app.team;
  switch (kind) {
    case "ws": return api.url(["ws", team], { v: 2, since: q.since, epoch: q.epoch });
    case "sse": return api.url(api.teamParts(team, "stream"), { since: q.since, epoch: q.epoch, output: q.output?.join(",") });
    case "poll": return api.url(api.teamParts(team, "events"), { since: q.since, epoch: q.epoch, wait_ms: q.wait, limit: 1000 });
    case "agents": return api.url(api.teamParts(team, "agents"));
    case "output": return api.url(api.teamParts(team, "agents", q.agent, "output"), { since_seq: q.since });
    case "probe": return api.url(api.teamParts(team, "status"));
    default: return api.url(["healthz"]);
  }
}

function onFrame(f) {
  if (f.now) time.sync(f.now);
  if (resnapping && f.type !== "gap") return void resnapping.push(f);
  switch (f.type) {
    case "hello": return hello(f);
    case "batch": return batch(f);
    case "presence": return store.presences(f), attention.stir();
    case "output": return output(f);
    case "gap": return gap();
  }
}

function hello(f) {
  const assets = document.documentElement.dataset.assets;
  app.server = f.server || "";
  app.skew = Boolean(f.assets && assets && f.assets !== assets);
  app.target = f.head;
  app.oldest = f.oldest || 1;
  if (f.head > store.head) store.touch("conn");
  for (const [agent, o] of outputs) if (o.loaded) missed(agent, o);
}

// What an agent wrote while there was no line.
async function missed(agent, o) {
  for (let n = 0; n < 20; n++) {
    const page = await api.get(api.teamParts(app.team, "agents", agent, "output"), { since_seq: o.buffer.last, limit: 500 }).catch(() => null);
    if (!page?.chunks.length || !o.buffer.last) return;
    if (o.buffer.append(page.chunks)) store.touch(`output/${agent}`);
    if (o.buffer.last >= page.head_seq) return;
  }
}

function batch(f) {
  store.apply(f.events);
  if (store.countsStale) refreshCounts();
  if (app.target) {
    if (store.head >= app.target) app.target = 0;
    store.touch("conn");
  }
  attention.stir();
}

let countsTimer;
function refreshCounts() {
  store.countsStale = false;
  clearTimeout(countsTimer);
  countsTimer = setTimeout(async () => {
    const head = store.head;
    const s = await api.get(api.teamParts(app.team, "status")).catch(() => null);
    if (!s || store.head !== head) return s && refreshCounts(); // what came meanwhile is counted in neither or both
    Object.assign(store.counts, { tasks: { ...s.tasks }, weight: s.total_weight, done: s.done_weight });
    store.touch("counts");
  }, 1000);
}

async function gap() {
  if (resnapping) return;
  resnapping = [];
  app.stats.gaps++;
  const team = app.team;
  for (let n = 0; team === app.team; n++) {
    try {
      await snapshot();
      break;
    } catch (e) {
      if (e.status === 401) return need();
      await new Promise((r) => setTimeout(r, 1000 * Math.min(8, 2 ** n)));
    }
  }
  const waiting = resnapping || [];
  resnapping = null;
  if (team === app.team) waiting.forEach(onFrame);
}

function onState(state) {
  if (state.name === "signedout") need();
  setConn(state);
}

function setConn(conn) {
  app.conn = conn;
  time.freeze(conn.name === "live" || !store.ready ? 0 : conn.since || Date.now());
  store.touch("conn");
}

// Output of agents, for as long as somebody looks at it.
function output(f) {
  store.wrote(f.agent, f.chunks.at(-1)?.ts || time.now());
  const o = outputs.get(f.agent);
  if (!o) return;
  if (!o.loaded) o.early.push(...f.chunks);
  else if (o.buffer.append(f.chunks)) store.touch(`output/${f.agent}`);
}

/** watchOutput opens the output of an agent; {buffer, close}. */
export function watchOutput(agent) {
  let o = outputs.get(agent);
  if (!o) {
    o = { buffer: new Output(), users: 0, loaded: false, early: [] };
    outputs.set(agent, o);
    loadOutput(agent, o);
  }
  o.users++;
  const unwatch = app.stream?.watch([agent]);
  return {
    buffer: o.buffer,
    close() {
      unwatch?.();
      if (--o.users === 0) outputs.delete(agent);
    },
  };
}

async function loadOutput(agent, o) {
  try {
    const page = await api.get(api.teamParts(app.team, "agents", agent, "output"), { limit: 500, max_bytes: PAGE_BYTES });
    o.buffer.append(page.chunks);
    o.buffer.whole = !page.more;
  } catch (e) {
    o.error = e;
  }
  o.loaded = true;
  o.buffer.ready = true;
  o.buffer.append(o.early);
  o.early = [];
  store.touch(`output/${agent}`);
}

const PAGE_BYTES = 256 * 1024;

/** earlier loads the page before what is here; buffer.whole says that there is none left. */
export async function earlier(agent, buffer) {
  const page = await api.get(api.teamParts(app.team, "agents", agent, "output"), { before_seq: buffer.first, limit: 500, max_bytes: PAGE_BYTES });
  const n = buffer.prepend(page.chunks);
  buffer.whole = !n || !page.more;
  store.touch(`output/${agent}`);
}

// What needs a person, as the server sees it. It depends on time and presence, so that it is asked for: soon after
// something happened, seldom otherwise, and not while nobody looks.
const SEEN = "atmcp.seen";
export const attention = {
  seen: new Set(read(SEEN, [])),
  last: 0,
  timer: 0,
  start() {
    this.stop();
    this.running = true;
    this.load();
  },
  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.timer = 0;
    this.due = 0;
  },
  plan(ms) {
    const due = Date.now() + ms;
    if (this.timer && this.due <= due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.load(), ms);
  },
  stir() {
    if (this.running) this.plan(Math.max(1000, this.last + 3000 - Date.now()));
  },
  async load() {
    this.timer = 0;
    if (!this.running) return;
    if (document.hidden && !settings.notify) return this.plan(5000);
    this.last = Date.now();
    const team = app.team;
    const a = await api.get(api.teamParts(team, "attention")).catch(() => null);
    if (team !== app.team || !this.running) return;
    if (a) {
      store.attention = a.items;
      store.attentionMore = a.more || 0;
      store.touch("attention");
      app.onAttention?.(a.items);
    }
    this.plan(30_000);
  },
  see(ids) {
    for (const id of ids) this.seen.add(id);
    const kept = [...this.seen].slice(-2000);
    this.seen = new Set(kept);
    write(SEEN, kept);
    store.touch("attention");
  },
};

export const unseen = () => store.attention.filter((i) => !attention.seen.has(i.id)).length;

// Hooks.
const hits = (dirty, topics) => dirty.has("all") || topics.some((t) => dirty.has(t));

/** useTopics renders again whenever one of the topics changed. */
export function useTopics(...topics) {
  const [n, again] = useReducer((x) => x + 1, 0);
  useLayoutEffect(() => store.subscribe((dirty) => hits(dirty, topics) && again()), [topics.join("\n")]);
  return n;
}

/** useStore is a value of the store; it renders again when one of the topics changed and the value with it. */
export function useStore(select, ...topics) {
  const [, again] = useReducer((x) => x + 1, 0);
  const value = select(store);
  const ref = useRef();
  ref.current = { value, select };
  useLayoutEffect(() => store.subscribe((dirty) => {
    if (hits(dirty, topics) && !shallowEqual(ref.current.select(store), ref.current.value)) again();
  }), [topics.join("\n")]);
  return value;
}

/** useSlow is a value that costs something: it is computed again at most every so many milliseconds, or when its inputs change. */
export function useSlow(ms, compute, topics, inputs = []) {
  const [, again] = useReducer((x) => x + 1, 0);
  const ref = useRef({ at: -Infinity, stale: true, inputs: [] });
  const k = ref.current;
  const now = performance.now();
  if (!shallowEqual(k.inputs, inputs) || (k.stale && now - k.at >= ms)) Object.assign(k, { at: now, stale: false, inputs, value: compute() });
  useEffect(() => {
    let timer;
    const list = [].concat(topics);
    const off = store.subscribe((dirty) => {
      if (!hits(dirty, list)) return;
      k.stale = true;
      if (timer) return;
      timer = setTimeout(() => {
        timer = 0;
        again();
      }, Math.max(0, k.at + ms - performance.now()));
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [ms]);
  return k.value;
}

export const useConn = () => useStore(() => app.conn, "conn");

/** useLoad fetches something when its inputs change; {data, error, loading, again}. What comes late is dropped. */
export function useLoad(fn, inputs) {
  const [n, again] = useReducer((x) => x + 1, 0);
  const [state, setState] = useReducer((s, x) => ({ ...s, ...x }), { loading: true });
  useEffect(() => {
    const stop = new AbortController();
    setState({ loading: true });
    fn(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, error: null, loading: false }),
      (error) => stop.signal.aborted || setState({ error, loading: false }),
    );
    return () => stop.abort();
  }, [...inputs, n]);
  return { ...state, again };
}
