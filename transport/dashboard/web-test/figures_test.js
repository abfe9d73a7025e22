import { branches, byTask, fit, percent, pieces, timeTicks, topOf } from "../web/js/figures.js";
import { equal, test, truth } from "./harness.js";

const HOUR = 3_600_000;

test("the top of a scale is round and not below what is shown", () => {
  equal([topOf(138), topOf(1), topOf(100), topOf(7, 2), topOf(0.03, 2)], [200, 1, 100, 10, 0.04]);
  for (let v = 1; v < 5000; v += 7) truth(topOf(v) >= v && topOf(v) <= v * 2.6, `${topOf(v)} for ${v}`);
});

test("a share is rounded as the server rounds it", () => {
  equal([[26, 71], [1, 8], [3, 8], [2, 3], [5, 5], [0, 0]].map(([part, whole]) => percent(part, whole)), [37, 12, 38, 67, 100, 0]);
});

test("ticks stand at round moments of the reader's day, within the window, and are not too many", () => {
  const from = Date.UTC(2026, 10, 28, 9, 7);
  equal(timeTicks(from, from + HOUR, 5, 0), [15, 30, 45, 60].map((m) => Date.UTC(2026, 10, 28, 9, m)));
  equal(timeTicks(from, from + 3 * 24 * HOUR, 4, -8 * HOUR), [28, 29, 30].map((d) => Date.UTC(2026, 10, d, 16)), "days begin at midnight in UTC+8");
  for (const span of [HOUR / 4, HOUR, 24 * HOUR, 168 * HOUR, 9000 * HOUR]) {
    const ticks = timeTicks(from, from + span, 6, 0);
    truth(ticks.length <= 7 && ticks.every((at) => at >= from && at <= from + span), `${ticks.length} in ${span}`);
  }
});

test("a text is cut at spans of UTF-16 units, and comes out whole", () => {
  const text = "😀 one lease, 两个租约";
  const spans = [{ start: 14, end: 18 }, { start: 7, end: 12 }];
  equal(pieces(text, spans), [["😀 one ", false], ["lease", true], [", ", false], ["两个租约", true]]);
  equal(pieces("abc", [{ start: 0, end: 2 }, { start: 1, end: 3 }]), [["ab", true], ["c", false]], "of two that overlap the first counts");
  equal(pieces("abc", [{ start: 2, end: 9 }, { start: 2, end: 2 }, { start: 3, end: 1 }]), [["abc", false]], "what does not fit is left out");
  equal([pieces("", []), pieces("abc")], [[], [["abc", false]]]);
});

test("a text that is cut to its room keeps its characters whole", () => {
  equal([fit("Write tests", 20), fit("Write tests", 5), fit("", 3)], ["Write tests", "Write…", ""]);
  equal(fit("翻译文档", 5), "翻译…", "a wide character takes the room of two");
  for (let room = 0; room < 12; room++) truth(fit("😀😀😀a", room).isWellFormed(), `half a character at ${room}`);
});

test("keys stand under their beginning where there are several", () => {
  const rows = ["build.image", "build.flags", "owner", "deploy/eu", "__proto__", "a.", "constructor.x", "constructor.y"].map((key) => ({ key }));
  const [groups, loose] = branches(rows);
  equal(groups.map(([head, list]) => [head, list.map((r) => r.key)]), [["build.", ["build.image", "build.flags"]], ["constructor.", ["constructor.x", "constructor.y"]]]);
  equal(loose.map((r) => r.key), ["__proto__", "a.", "deploy/eu", "owner"]);
});

test("lanes of agents become lanes of tasks, in the order of their first hold", () => {
  const s = (task, from) => ({ task_id: task, number: `#${task}`, title: `t${task}`, from, to: from + 5 });
  const lanes = byTask([{ agent: "bob", segments: [s(2, 30), s(1, 50)] }, { agent: "amy", segments: [s(1, 10)] }]);
  equal(lanes.map((l) => [l.number, l.segments.map((x) => [x.agent, x.from])]), [["#1", [["bob", 50], ["amy", 10]]], ["#2", [["bob", 30]]]]);
});
