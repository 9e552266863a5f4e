// `npm test`: sets up everything, then runs every test. Arguments narrow it
// down: `npm test -- onnx rewards` runs the tests whose path contains one of
// these words, `npm test -- --fast` leaves out the slow ones. Set up is what
// the chosen files need.
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { run } from 'node:test';
import { finished } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { endLeftovers, markProcesses } from './leftovers.mjs';
import { needsOf } from './needs.mjs';
import { root, runMain, setupTests, testBuild } from './setup.mjs';
import { SetupError } from './steps.mjs';
import report from './testReporter.mjs';

/** Milliseconds after which a file is ended and reported with its running test: many times what the longest takes. */
const LONGEST = 30 * 60_000;
/**
 * Number of files that run at once: while one waits for a browser, a server or a
 * timer, the other computes. Each is a process of its own, with folders and ports of
 * its own.
 */
const AT_ONCE = Math.min(2, availableParallelism());

await runMain(async () => {
  const args = process.argv.slice(2);
  const words = args.filter((argument) => argument !== '--fast');
  const sources = testFiles()
    .filter((file) => !args.includes('--fast') || !file.endsWith('.slow.test.ts'))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (sources.length === 0) throw new SetupError(`No test matches ${words.join(', ')}.`);
  await setupTests(needsOf(sources.map((file) => path.join(root, file))));
  process.exit((await passes(sources.map(compiled))) ? 0 : 1);
});

async function passes(files) {
  process.chdir(root);
  // What tests measure stays in the checkout.
  process.env.JOYLAB_CACHE ??= path.join(root, 'node_modules', '.cache', 'joylab');
  markProcesses();
  // A test that leaves something open when it fails must not hold up the rest. Each file is a process: the flag is for these.
  const flags = ['--test-force-exit'];
  process.execArgv.push(...flags);
  const events = run({
    files: files.map((file) => path.join(root, file)),
    concurrency: AT_ONCE,
    timeout: LONGEST,
    execArgv: flags,
  });
  let failed = false;
  events.on('test:fail', ({ todo }) => {
    failed ||= todo === undefined || todo === false;
  });
  const output = Readable.from(report(events));
  output.pipe(process.stdout, { end: false });
  await finished(output);
  for (const command of await endLeftovers())
    process.stdout.write(`A process outlived its test and was ended: ${command}\n`);
  return !failed;
}

/** Returns the sources of all tests, the slow ones first, so that none of them runs alone at the end. */
function testFiles() {
  const slow = (file) => Number(file.endsWith('.slow.test.ts'));
  return fs
    .readdirSync(path.join(root, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('test', name))
    .sort((a, b) => slow(b) - slow(a) || a.localeCompare(b));
}

function compiled(source) {
  return path.join(testBuild, source.replace(/\.ts$/, '.js'));
}
