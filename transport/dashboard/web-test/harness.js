// A harness that runs wherever modules do: in the page of the browser tests, and in node.

const tests = [];

export const test = (name, fn) => tests.push([name, fn]);

export function equal(got, want, what = "") {
  const g = JSON.stringify(got);
  const w = JSON.stringify(want);
  if (g !== w) throw new Error(`${what} got ${g}, want ${w}`);
}

export function truth(got, what) {
  if (!got) throw new Error(`not true: ${what}`);
}

/** run runs all tests that were named, and returns those that did not pass. */
export async function run() {
  const failed = [];
  for (const [name, fn] of tests) {
    try {
      await fn();
    } catch (e) {
      failed.push(`${name}: ${e.message || e}`);
    }
  }
  return { count: tests.length, failed };
}
