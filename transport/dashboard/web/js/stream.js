// The live feed: WebSocket, else server-sent events, else long polling. The stream carries frames and reports its
// state; what to do with a frame is not its business. All that it needs of the browser comes in through `env`, so
// that tests can drive it.

const BACKOFF_FLOOR = 500;
const BACKOFF_CEILING = 15_000;
const HIDDEN_MS = 5 * 60_000;
const WS_AGAIN_MS = 5 * 60_000;
const PING_MS = 20_000;
const SILENT_MS = 45_000; // no frame and no pong for so long: the line is dead
const STABLE_MS = 10_000;

/** backoff is a full-jitter delay before the n-th try, n from 0. */
export function backoff(n, random = Math.random) {
  const most = Math.min(BACKOFF_CEILING, BACKOFF_FLOOR * 2 ** Math.min(n, 10));
  return Math.max(100, Math.round(random() * most));
}

const browser = () => ({
  WebSocket: globalThis.WebSocket,
  EventSource: globalThis.EventSource,
  fetch: (...a) => globalThis.fetch(...a),
  setTimeout: (f, ms) => globalThis.setTimeout(f, ms),
  clearTimeout: (id) => globalThis.clearTimeout(id),
  now: () => Date.now(),
  random: Math.random,
  document: globalThis.document,
  window: globalThis.window,
});

export class Stream {
  /**
   * options: url(kind, {since, epoch, output}) → address; position() → {since, epoch};
   * onFrame(frame); onState(state); env for tests.
   */
  constructor(options) {
    this.o = options;
    this.env = { ...browser(), ...options.env };
    this.transport = "ws";
    this.fails = { ws: 0, sse: 0 };
    this.tries = 0;
    this.output = new Set();
    this.reconnects = 0;
    this.state = { name: "idle" };
    this.closed = true;
    this.generation = 0;
  }

  start() {
    this.closed = false;
    const { document: d, window: w } = this.env;
    this.onVisible = () => (d.hidden ? this.hide() : this.show());
    this.onOnline = () => this.nudge();
    this.onOffline = () => this.state.name !== "live" && this.set({ name: "offline" });
    d?.addEventListener("visibilitychange", this.onVisible);
    w?.addEventListener("online", this.onOnline);
    w?.addEventListener("offline", this.onOffline);
    this.connect();
  }

  stop() {
    this.closed = true;
    this.drop();
    const { document: d, window: w } = this.env;
    d?.removeEventListener("visibilitychange", this.onVisible);
    w?.removeEventListener("online", this.onOnline);
    w?.removeEventListener("offline", this.onOffline);
    this.clear("retry", "hidden", "ws");
  }

  set(state) {
    const since = state.name === "live" ? 0 : this.state.since || this.env.now();
    this.state = { ...state, since, transport: this.transport };
    this.o.onState(this.state);
  }

  timer(name, ms, fn) {
    this.clear(name);
    this[`${name}Timer`] = this.env.setTimeout(fn, ms);
  }

  clear(...names) {
    for (const n of names) {
      if (this[`${n}Timer`] !== undefined) this.env.clearTimeout(this[`${n}Timer`]);
      this[`${n}Timer`] = undefined;
    }
  }

  hide() {
    this.timer("hidden", HIDDEN_MS, () => {
      this.asleep = true;
      this.drop();
      this.clear("retry");
      this.set({ name: "asleep" });
    });
  }

  show() {
    this.clear("hidden");
    if (this.asleep || this.retryTimer !== undefined) this.nudge();
    this.asleep = false;
  }

  /** nudge tries at once, whatever the backoff says. */
  nudge() {
    if (this.closed || this.state.name === "signedout") return;
    if (this.line && this.state.name === "live") return;
    this.clear("retry");
    this.connect();
  }

  /** resume begins again after a sign-in. */
  resume() {
    this.tries = 0;
    this.closed = false;
    this.clear("retry");
    this.connect();
  }

  drop() {
    this.generation++;
    const line = this.line;
    this.line = null;
    this.clear("ping", "stable");
    line?.close();
  }

  connect() {
    if (this.closed) return;
    this.drop();
    this.bye = null;
    const mine = this.generation;
    const live = (fn) => (...a) => mine === this.generation && fn(...a);
    this.set({ ...this.state, name: this.state.name === "idle" ? "connecting" : "reconnecting", at: this.env.now() });
    const open = { ws: openSocket, sse: openEvents, poll: openPoll }[this.transport];
    this.greeted = false;
    this.line = open(this, live((f) => this.frame(f)), live((why) => this.lost(why)));
  }

  frame(f) {
    this.heard = this.env.now();
    if (f.type === "pong") return;
    if (f.type === "hello") {
      this.greeted = true;
      this.fails[this.transport] = 0;
      this.timer("stable", STABLE_MS, () => (this.tries = 0));
      this.set({ name: "live" });
      this.wish([...this.output], "sub");
      if (this.transport !== "ws") this.timer("ws", WS_AGAIN_MS, () => this.again());
      else this.keepAlive();
    }
    if (f.type === "bye") this.bye = f;
    this.o.onFrame(f);
  }

  again() {
    this.transport = "ws";
    this.fails.ws = 2; // one try is enough to see that it is still blocked
    this.connect();
  }

  keepAlive() {
    this.heard = this.env.now();
    const beat = () => {
      if (this.env.now() - this.heard > SILENT_MS) return this.lost("silent");
      this.line?.send?.({ op: "ping", t: this.env.now() });
      this.timer("ping", PING_MS, beat);
    };
    this.timer("ping", PING_MS, beat);
  }

  /** lost is told why a line ended: "auth", "gone", or anything else. */
  async lost(why) {
    const greeted = this.greeted;
    const bye = this.bye;
    this.drop();
    if (why === "auth" || bye?.reason === "token_revoked") return this.set({ name: "signedout" });
    if (why === "gone") return this.set({ name: "gone" });
    this.reconnects++;
    if (!greeted) await this.degrade();
    if (this.closed || this.asleep) return;
    const jitter = this.env.random;
    const wait = bye?.retry_ms ? Math.round(bye.retry_ms * (0.5 + jitter() / 2)) : backoff(this.tries, jitter);
    this.tries++;
    this.set({ name: "reconnecting", at: this.env.now() + wait });
    this.timer("retry", wait, () => {
      this.retryTimer = undefined;
      this.connect();
    });
  }

  /** degrade goes over to the next transport where the server answers and only this one does not work. */
  async degrade() {
    if (this.transport === "poll") return;
    const most = this.transport === "ws" ? 3 : 2;
    const mine = this.generation;
    if (++this.fails[this.transport] < most) return;
    let answers = false;
    try {
      answers = (await this.env.fetch(this.o.url("health"))).ok;
    } catch {
      // The server is away: no transport would do better.
    }
    if (!answers || mine !== this.generation) return;
    this.transport = this.transport === "ws" ? "sse" : "poll";
    this.tries = 0;
  }

  /** watch asks for the output of agents; the function that it returns ends that. */
  watch(agents) {
    this.watched ||= new Map();
    const fresh = agents.filter((a) => !this.watched.get(a));
    for (const a of agents) this.watched.set(a, (this.watched.get(a) || 0) + 1);
    for (const a of fresh) this.output.add(a);
    this.wish(fresh, "sub");
    return () => {
      const over = agents.filter((a) => this.watched.get(a) === 1);
      for (const a of agents) this.watched.set(a, this.watched.get(a) - 1);
      for (const a of over) this.output.delete(a);
      this.wish(over, "unsub");
    };
  }

  wish(agents, op) {
    if (!agents.length || !this.line || !this.greeted) return;
    if (this.line.send) this.line.send({ op, output: agents });
    else if (this.line.rewish) this.line.rewish();
  }
}

function openSocket(s, onFrame, onLost) {
  const address = new URL(s.o.url("ws", s.o.position()));
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  let socket;
  try {
    socket = new s.env.WebSocket(address);
  } catch {
    const id = s.env.setTimeout(() => onLost("blocked"), 0);
    return { close: () => s.env.clearTimeout(id) };
  }
  const slow = s.env.setTimeout(() => onLost("slow"), 10_000);
  socket.onopen = () => s.env.clearTimeout(slow);
  socket.onmessage = (m) => onFrame(JSON.parse(m.data));
  socket.onclose = (c) => {
    s.env.clearTimeout(slow);
    onLost(c.code === 4401 ? "auth" : c.code === 4404 ? "gone" : "closed");
  };
  return {
    close() {
      s.env.clearTimeout(slow);
      socket.onclose = socket.onmessage = null;
      socket.close();
    },
    send: (m) => socket.readyState === 1 && socket.send(JSON.stringify(m)),
  };
}

function openEvents(s, onFrame, onLost) {
  let source;
  let slow;
  const open = () => {
    source = new s.env.EventSource(s.o.url("sse", { ...s.o.position(), output: [...s.output] }));
    slow = s.env.setTimeout(() => onLost("buffered"), 5000); // a proxy that holds the answer back
    source.onmessage = (m) => {
      s.env.clearTimeout(slow);
      onFrame(JSON.parse(m.data));
    };
    source.onerror = async () => {
      s.env.clearTimeout(slow);
      source.close();
      onLost((await refused(s)) || "closed");
    };
  };
  const close = () => {
    s.env.clearTimeout(slow);
    source.onerror = source.onmessage = null;
    source.close();
  };
  open();
  return {
    close,
    rewish() {
      close();
      open();
    },
  };
}

async function refused(s) {
  try {
    const r = await s.env.fetch(s.o.url("probe"));
    return r.status === 401 ? "auth" : r.status === 404 ? "gone" : "";
  } catch {
    return "";
  }
}

// Polling tells of events; presence and output, which are no events, are asked for beside it.
function openPoll(s, onFrame, onLost) {
  let over = false;
  const stop = new AbortController();
  const get = async (kind, more) => {
    const r = await s.env.fetch(s.o.url(kind, more), { signal: stop.signal });
    if (!r.ok) throw new Error(r.status === 401 ? "auth" : r.status === 404 ? "gone" : "closed");
    return r.json();
  };
  const seqs = new Map();
  const beside = async () => {
    const list = await get("agents");
    onFrame(presenceOf(list.agents));
    for (const agent of s.output) {
      const page = await get("output", { agent, since: seqs.get(agent) });
      if (!seqs.has(agent)) seqs.set(agent, page.head_seq);
      else if (page.chunks.length) {
        onFrame({ type: "output", agent, chunks: page.chunks });
        seqs.set(agent, page.chunks.at(-1).seq);
      }
    }
  };
  const loop = async () => {
    try {
      for (let first = true; !over; first = false) {
        const p = s.o.position();
        const page = await get("poll", { ...p, wait: first ? 0 : 5000 });
        if (over) return;
        if (first) onFrame({ type: "hello", head: page.head, epoch: page.epoch, now: page.now, oldest: 0 });
        if (page.gap) onFrame({ type: "gap", head: page.head, reason: page.gap });
        else if (page.events.length) {
          const ids = page.events.map((e) => e.id);
          onFrame({ type: "batch", from: ids[0], to: ids.at(-1), now: page.now, events: page.events });
        }
        if (!page.more) await beside();
      }
    } catch (e) {
      if (!over) onLost(e.message);
    }
  };
  loop();
  return {
    close() {
      over = true;
      stop.abort();
    },
  };
}

function presenceOf(list) {
  const agents = {};
  for (const a of list) {
    if (a.presence !== "offline") agents[a.agent_id] = [a.presence, a.last_seen, a.status_summary, a.current_task_id, a.progress_pct];
  }
  return { type: "presence", full: true, agents, leases: {} };
}
