// How `npm test` tells what it does: as Node.js's own `spec` reporter does, and
// at the end what else helps to find a cause on a machine that one cannot look
// into: which test of a file was under way when its time was over, and which
// tests took longest.
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const SLOWEST = 10;

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* report(events) {
  const underWay = new Map();
  const ended = [];
  const watched = async function* () {
    for await (const event of events) {
      note(event, underWay, ended);
      yield event;
    }
  };
  yield* Readable.from(watched()).pipe(new spec());
  for (const { name, file } of underWay.values()) yield `\n✖ did not end: ${name} (${file})\n`;
  yield `\nThe ${SLOWEST} slowest tests:\n`;
  ended.sort((a, b) => b.seconds - a.seconds);
  for (const { seconds, name, file } of ended.slice(0, SLOWEST))
    yield `${seconds.toFixed(1).padStart(7)} s  ${file}: ${name}\n`;
}

/** Records the start or end of a test. Events of whole files, which are tests to Node.js, are ignored. */
function note({ type, data }, underWay, ended) {
  if (!data?.file || data.name === data.file || data.name?.endsWith('.test.js')) return;
  const file = path.relative(process.cwd(), data.file);
  const key = `${file}:${data.line}:${data.column}:${data.nesting}:${data.name}`;
  if (type === 'test:dequeue') underWay.set(key, { name: data.name, file });
  if (type !== 'test:pass' && type !== 'test:fail') return;
  underWay.delete(key);
  if (data.nesting === 0) ended.push({ seconds: data.details.duration_ms / 1000, name: data.name, file });
}
