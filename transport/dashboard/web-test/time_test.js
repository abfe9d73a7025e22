import { freeze, left, now } from "../web/js/time.js";
import { equal, test, truth } from "./harness.js";

test("a term without a line stands still where it stood", () => {
  const at = now();
  freeze(at);
  try {
    const l = left(at + 30_000, 60_000);
    equal([l.part, l.level], [0.5, "muted"]);
    equal(left(at - 1, 60_000).level, "muted", "the page does not say that it ended");
  } finally {
    freeze(0);
  }
  const l = left(now() + 30_000, 60_000);
  truth(l.part > 0.49 && l.part <= 0.5 && l.level === "", "with one it goes on");
  equal(left(now() - 1, 60_000).level, "bad");
  equal([left(now() + 10_000, 60_000).level, left(0).level], ["warn", ""]);
});
