import { Stream, backoff } from "../web/js/stream.js";
import { equal, test, truth } from "./harness.js";

/** A browser of which all is in the test's hand: its clock, its sockets, its answers. */
function fake({ health = true } = {}) {
  const b = { sockets: [], sources: [], timers: [], now: 1000, frames: [], states: [], listeners: {} };
  b.document = { hidden: false, addEventListener: (n, f) => (b.listeners[n] = f), removeEventListener() {} };
  b.window = { addEventListener: (n, f) => (b.listeners[n] = f), removeEventListener() {} };
  class Socket {
    constructor(url) {
      Object.assign(this, { url: String(url), readyState: 0, sent: [] });
      b.sockets.push(this);
    }
    send(m) {
      this.sent.push(JSON.parse(m));
    }
    close() {
      this.gone = true;
    }
    open(...frames) {
      this.readyState = 1;
      this.onopen?.();
      for (const f of frames) this.onmessage?.({ data: JSON.stringify(f) });
    }
  }
  class Source {
    constructor(url) {
      this.url = url;
      b.sources.push(this);
    }
    close() {
      this.gone = true;
    }
  }
  b.env = {
    WebSocket: Socket, EventSource: Source, document: b.document, window: b.window, now: () => b.now, random: () => 0.5,
    setTimeout: (fn, ms) => b.timers.push({ fn, at: b.now + ms }) && b.timers.at(-1),
    clearTimeout: (t) => (b.timers = b.timers.filter((x) => x !== t)),
    fetch: async (url) => {
      if (String(url).includes("poll")) return new Promise(() => {});
      if (!health) throw new Error("away");
      return { ok: true, status: 200 };
    },
  };
  b.pass = async (ms) => {
    for (const end = b.now + ms; ; ) {
      const due = b.timers.filter((t) => t.at <= end).sort((x, y) => x.at - y.at)[0];
      if (!due) {
        b.now = end;
        break;
      }
      b.timers = b.timers.filter((t) => t !== due);
      b.now = Math.max(b.now, due.at);
      due.fn();
      await turn();
    }
    await turn();
  };
  b.stream = new Stream({ url: (kind, q) => `http://host/${kind}?since=${q?.since ?? ""}`, position: () => ({ since: b.head ?? 5, epoch: "e" }), onFrame: (f) => b.frames.push(f), onState: (s) => b.states.push(s.name), env: b.env });
  b.last = () => b.sockets.at(-1);
  return b;
}
/** refuse ends the newest socket before it greeted, and waits for what comes next. */
async function refuse(b) {
  const before = b.sockets.length + b.sources.length;
  b.last().onclose({ code: 1006 });
  for (let i = 0; i < 100 && b.sockets.length + b.sources.length === before; i++) await b.pass(200);
}

const turn = async () => {
  for (let i = 0; i < 6; i++) await null;
};
const hello = { type: "hello", head: 5, epoch: "e", now: 1000 };

test("backoff stays between its floor and its ceiling", () => {
  for (let n = 0; n < 40; n++) truth(backoff(n, () => 0.999) <= 15_000 && backoff(n, () => 0) >= 100, `try ${n}`);
  truth(backoff(6, () => 0.999) > backoff(0, () => 0.999), "it grows");
});

test("it connects from where the store is, and is live with the greeting", () => {
  const b = fake();
  b.stream.start();
  equal(b.last().url, "ws://host/ws?since=5");
  b.last().open(hello, { type: "batch", events: [] });
  equal([b.states.at(-1), b.frames.map((f) => f.type)], ["live", ["hello", "batch"]]);
});

test("a line that is lost is taken up again from the newest event", async () => {
  const b = fake();
  b.stream.start();
  b.last().open(hello);
  b.head = 9;
  b.last().onclose({ code: 1006 });
  await turn();
  equal(b.states.at(-1), "reconnecting");
  await b.pass(5000);
  equal([b.sockets.length, b.last().url], [2, "ws://host/ws?since=9"]);
});

test("a server that says goodbye names the wait", async () => {
  const b = fake();
  b.stream.start();
  b.last().open(hello, { type: "bye", reason: "shutdown", retry_ms: 800 });
  b.last().onclose({ code: 1001 });
  await b.pass(500);
  equal(b.sockets.length, 1);
  await b.pass(400);
  equal(b.sockets.length, 2);
});

test("a token that is gone ends it until somebody signs in", async () => {
  const b = fake();
  b.stream.start();
  b.last().open(hello);
  b.last().onclose({ code: 4401 });
  await b.pass(60_000);
  equal([b.states.at(-1), b.sockets.length], ["signedout", 1]);
  b.stream.resume();
  equal(b.sockets.length, 2);
});

test("where sockets are blocked it takes events, and where these are held back it polls", async () => {
  const b = fake();
  b.stream.start();
  for (let i = 0; i < 3; i++) await refuse(b);
  equal([b.stream.transport, b.sources.length > 0], ["sse", true]);
  await b.pass(60_000);
  equal(b.stream.transport, "poll");
});

test("a server that is away is no reason to change the way", async () => {
  const b = fake({ health: false });
  b.stream.start();
  for (let i = 0; i < 8; i++) await refuse(b);
  equal(b.stream.transport, "ws");
});

test("a hidden page lets go after five minutes and comes back when it is seen", async () => {
  const b = fake();
  b.stream.start();
  b.last().open(hello);
  b.document.hidden = true;
  b.listeners.visibilitychange();
  for (let i = 0; i < 16; i++) {
    await b.pass(19_000);
    if (!b.last().gone) b.last().onmessage?.({ data: '{"type":"pong"}' });
  }
  equal([b.states.at(-1), b.last().gone], ["asleep", true]);
  b.document.hidden = false;
  b.listeners.visibilitychange();
  equal(b.sockets.length, 2);
});

test("a line on which nothing is heard is dead", async () => {
  const b = fake();
  b.stream.start();
  b.last().open(hello);
  await b.pass(41_000);
  truth(b.last().sent.some((m) => m.op === "ping"), "it asks");
  await b.pass(30_000);
  truth(b.sockets.length > 1 && b.sockets[0].gone, "and begins again");
});

test("output is asked for while somebody looks, and again on a new line", async () => {
  const b = fake();
  b.stream.start();
  const stop = b.stream.watch(["a"]);
  b.last().open(hello);
  const stop2 = b.stream.watch(["a", "b"]);
  equal(b.last().sent, [{ op: "sub", output: ["a"] }, { op: "sub", output: ["b"] }]);
  stop();
  equal(b.last().sent.length, 2);
  b.last().onclose({ code: 1006 });
  await b.pass(15_000);
  b.last().open(hello);
  equal(b.last().sent, [{ op: "sub", output: ["a", "b"] }]);
  stop2();
  equal(b.last().sent.at(-1), { op: "unsub", output: ["a", "b"] });
});
