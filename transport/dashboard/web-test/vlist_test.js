import { Heights, find, fixedView, offsets, view } from "../web/js/vlist.js";
import { equal, test, truth } from "./harness.js";

test("rows of one height: those in sight and a few around them", () => {
  equal(fixedView(1000, 40, 0, 400, 2), [0, 12]);
  equal(fixedView(1000, 40, 4000, 400, 2), [98, 112]);
  equal(fixedView(1000, 40, 39_600, 400, 2), [988, 1000]);
  equal(fixedView(0, 40, 0, 400), [0, 0]);
  equal(fixedView(3, 40, 0, 400), [0, 3]);
});

test("rows of different heights are found by their place", () => {
  const at = offsets(4, (i) => [10, 20, 30, 40][i]);
  equal([...at], [0, 10, 30, 60, 100]);
  equal([find(at, 0), find(at, 9), find(at, 10), find(at, 59), find(at, 99), find(at, 500)], [0, 0, 1, 2, 3, 3]);
  equal(view(at, 15, 10, 0), [1, 2]);
  equal(view(offsets(0, () => 1), 0, 100), [0, 0]);
});

test("a height is a guess until it was measured", () => {
  const h = new Heights(20);
  equal(h.of("a"), 20);
  truth(h.set("a", 44), "a new height is news");
  truth(!h.set("a", 44.2), "half a pixel is not");
  equal(h.of("a"), 44);
});

test("what is rendered does not grow with the list", () => {
  for (const count of [100, 10_000, 1_000_000]) {
    const [from, to] = fixedView(count, 20, count * 10, 800);
    truth(to - from < 60, `${to - from} rows of ${count}`);
  }
});
