// All tests of the page's modules that need no page. In node:
//   node --experimental-default-type=module transport/dashboard/web-test/all.js
import { run } from "./harness.js";
import "./ansi_test.js";
import "./figures_test.js";
import "./i18n_test.js";
import "./output_test.js";
import "./store_test.js";
import "./stream_test.js";
import "./time_test.js";
import "./vlist_test.js";

export const result = await run();
globalThis.testResult = result;
if (globalThis.process) {
  console.log(`${result.count - result.failed.length} of ${result.count} pass`);
  for (const f of result.failed) console.log(`FAIL ${f}`);
  if (result.failed.length) process.exitCode = 1;
}
