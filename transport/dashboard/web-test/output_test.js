import { Output, textOf } from "../web/js/output.js";
import { equal, test, truth } from "./harness.js";

const chunk = (seq, text, more) => ({ seq, text, ts: seq, source: "agent", directive_id: null, ...more });
const texts = (o) => o.all().map(textOf);

test("chunks become lines, and a line goes on in the next chunk", () => {
  const o = new Output();
  o.append([chunk(1, "one\ntw"), chunk(2, "o\nthree")]);
  equal(texts(o), ["one", "two", "three"]);
});

test("a chunk that came before is passed over", () => {
  const o = new Output();
  o.append([chunk(1, "a\n"), chunk(2, "b\n")]);
  equal(o.append([chunk(1, "a\n"), chunk(2, "b\n"), chunk(3, "c\n")]), 1);
  equal(texts(o), ["a", "b", "c"]);
});

test("another writer's text begins a line of its own", () => {
  const o = new Output();
  o.append([chunk(1, "half"), chunk(2, "hook\n", { source: "hook" }), chunk(3, "task\n", { directive_id: "d1" })]);
  equal(o.all().map((l) => [textOf(l), l.source, l.dir]), [["half", "agent", ""], ["hook", "hook", ""], ["task", "agent", "d1"]]);
});

test("the ring keeps the newest and counts what it let go", () => {
  const o = new Output({ maxLines: 10 });
  for (let i = 1; i <= 100; i++) o.append([chunk(i, `${i}\n`)]);
  equal([o.lines.length, texts(o)[0], o.dropped], [10, "91", 90]);
  const small = new Output({ maxChars: 100 });
  for (let i = 1; i <= 100; i++) small.append([chunk(i, "0123456789\n")]);
  truth(small.chars <= 100, "no more characters than allowed");
});

test("what the ring let go of can be loaded again without a hole", () => {
  const o = new Output({ maxLines: 10 });
  const chunks = Array.from({ length: 20 }, (_, i) => chunk(i + 1, `a${i + 1}\nb${i + 1}\nc${i + 1}\n`));
  o.whole = true;
  o.append(chunks);
  equal([texts(o)[0], o.first, o.whole], ["a18", 18, false]);
  o.prepend(chunks.slice(10, 17));
  equal(texts(o).slice(18, 24), ["a17", "b17", "c17", "a18", "b18", "c18"]);
});

test("lines keep their numbers when others come before them", () => {
  const o = new Output();
  o.append([chunk(5, "e\n"), chunk(6, "f\n")]);
  const n = o.lines[0].n;
  equal(o.prepend([chunk(3, "c\n"), chunk(4, "d\n"), chunk(5, "e\n")]), 2);
  equal(texts(o), ["c", "d", "e", "f"]);
  equal(o.lines.map((l) => l.n), [n - 2, n - 1, n, n + 1]);
  equal(o.first, 3);
  equal(o.prepend([]), 0);
});

test("a hundred thousand lines leave a bounded ring", () => {
  const o = new Output();
  for (let i = 1; i <= 1000; i++) o.append([chunk(i, "line\n".repeat(100))]);
  truth(o.lines.length <= 5000 && o.lines.length > 4800, `${o.lines.length} lines are kept`);
});
