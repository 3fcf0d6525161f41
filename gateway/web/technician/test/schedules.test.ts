/* schedules.test.ts - random days of the sync engine against the model server.
 *
 * CALLOUT_SEED=N runs that one alone, CALLOUT_SCHEDULES=N so many. It is a test by its exit code:
 * node:test inside would follow each of some ten million promises.
 */
import { runSchedule, type Figures } from "./schedule.ts";

const only = process.env["CALLOUT_SEED"];
const first = Number(only ?? 1);
const count = only === undefined ? Number(process.env["CALLOUT_SCHEDULES"] ?? 250) : 1;
Error.stackTraceLimit = only === undefined ? 0 : 20; // errors are daily bread here
const sum: Figures = { commands: 0, kills: 0, restores: 0, revoked: 0, unreadable: 0 };

for (let seed = first; seed < first + count; seed++)
  try {
    const figures = await runSchedule(seed);
    for (const name of Object.keys(sum) as (keyof Figures)[]) sum[name] += figures[name];
  } catch (error) {
    console.error(`CALLOUT_SEED=${seed}:`, error);
    process.exit(1);
  }
console.log(JSON.stringify({ schedules: count, ...sum }));
if (only === undefined && (sum.kills === 0 || sum.unreadable === 0)) process.exit(1);
