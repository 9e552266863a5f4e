/**
 * The kernel beside ipykernel and stock tslab: `npm run bench -- kernel`; with
 * `start`, the start alone, and more often.
 *
 * All are measured in the same way, by a client that speaks the protocol to
 * them, in turns. Ratios are to ipykernel, above 1 in Joylab's favour.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cpus } from 'node:os';
import { textTable } from '../../kernel/display/table';
import { buildRoot, pythonPath } from '../../kernel/common/packagePaths';
import { text, TestKernel } from '../jupyter/client';

const STARTS = 5;
/** Starts where the start alone is measured. */
const MANY_STARTS = 11;
const ROUNDS = 100;
const PRINTS = 1000;
/** Milliseconds after which a measurement is abandoned. */
const TIMEOUT = 3000;

/** One kernel, and the same work in its language. */
interface Peer {
  name: string;
  command: (connectionFile: string) => string[];
  prints: string;
  completion: string;
  /** An endless loop. */
  loop: string;
  interrupt: (kernel: TestKernel) => void;
  /** Cells that define what {@link work} uses. */
  preparation?: string;
  /** Other cells to interrupt, by the key of their line. Each prints before it works for long. */
  work?: Record<string, string>;
}

const PREPARATION = `import { FastLanguageModel, GRPOTrainer, openenv, rollout, strategyPrompt } from 'joylab';
let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
model = FastLanguageModel.getPeftModel(model, { r: 16, targetModules: 'all-linear' });
const env = await openenv('atari', { game: 'breakout' });
const trainDataset = [{ prompt: [{ role: 'user' as const, content: strategyPrompt(env) }] }];
const score = ({ episode }: any) => (console.log('working'), episode ? episode.return : null);
const codes = Array.from({ length: 64 }, (_, i) => \`function strategy(state) { return (state.ball_x + \${i}) % 7 > 3 ? 'LEFT' : 'RIGHT'; }\`);`;

const WORK = {
  training: `const trainer = new GRPOTrainer({ model, processingClass: tokenizer, env, rewardFuncs: [score], trainDataset, args: { maxSteps: 500, numGenerations: 32, maxCompletionLength: 128 } });
await trainer.train();`,
  rollout: `for (let seed = 0; ; seed++) {
  console.log('working');
  await rollout(env, codes, { seeds: codes.map(() => seed), maxSteps: 3000 });
}`,
};

const javascript = {
  prints: `for (let i = 0; i < ${PRINTS}; i++) console.log(i)`,
  completion: 'Math.flo',
  loop: 'while (true) {}',
};
const signal = (kernel: TestKernel): void => void kernel.process.kill('SIGINT');

const PEERS: Peer[] = [
  {
    name: 'Joylab',
    command: (file) => [process.execPath, path.join(buildRoot, 'kernel', 'cli.js'), 'kernel', file],
    ...javascript,
    interrupt: (kernel) => void kernel.send('control', 'interrupt_request', {}),
    preparation: PREPARATION,
    work: WORK,
  },
  {
    name: 'ipykernel',
    command: (file) => [pythonPath(), '-m', 'ipykernel_launcher', '-f', file],
    prints: `for i in range(${PRINTS}): print(i)`,
    completion: 'import math; math.flo',
    loop: 'while True: pass',
    interrupt: signal,
  },
  {
    name: 'tslab',
    command: (file) => [process.execPath, require.resolve('tslab/bin/tslab'), 'kernel', '--config-path', file],
    ...javascript,
    interrupt: signal,
  },
];

/** Measurements of a peer: values by the name of the line. */
type Figures = Record<string, number[]>;

const LINES = {
  start: 'start-up to the first reply (kernel_info)',
  first: 'start-up to the end of a first cell',
  idle: 'first cell, 3 s after the start',
  cell: 'trivial cell',
  completion: 'completion',
  prints: `${PRINTS} prints, whole and in order`,
  loop: 'interrupt: a loop',
  training: 'interrupt: a training run',
  rollout: 'interrupt: a rollout',
  memoryStart: 'memory after the start',
  memoryCell: 'memory after a first cell',
} as const;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Returns the resident memory of a kernel's process in MB. */
function memory(kernel: TestKernel): number {
  return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${kernel.process.pid}/status`, 'utf8'))![1]) / 1000;
}

const running = new Set<TestKernel>();

async function launch(peer: Peer): Promise<TestKernel> {
  // As jupyter_client does: without a parent ipykernel ignores SIGINT.
  const kernel = await TestKernel.start({}, { command: peer.command, env: { JPY_PARENT_PID: String(process.pid) } });
  running.add(kernel);
  return kernel;
}

async function end(kernel: TestKernel): Promise<void> {
  kernel.process.kill('SIGKILL');
  running.delete(kernel);
  await kernel.stop();
}

process.on('exit', () => running.forEach((kernel) => kernel.process.kill('SIGKILL')));
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(1));

async function start(peer: Peer, figures: Figures): Promise<TestKernel> {
  const began = performance.now();
  const kernel = await launch(peer);
  await kernel.request('shell', 'kernel_info_request');
  figures.start.push(performance.now() - began);
  await kernel.reply(kernel.send('shell', 'execute_request', { code: '1' }));
  figures.first.push(performance.now() - began);
  // A kernel that does not send iopub_welcome: until the subscription is there.
  for (let seen = false; !seen; ) {
    const id = kernel.send('shell', 'kernel_info_request', {});
    await kernel.reply(id);
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = kernel.iopub.some((it) => it.parentHeader.msg_id === id);
  }
  return kernel;
}

/** Measures one round of everything short. */
async function measureRound(kernel: TestKernel, peer: Peer, figures: Figures, round: number): Promise<void> {
  figures.cell.push(await timed(() => kernel.execute('1')));
  if (round % 2 === 0) {
    const content = { code: peer.completion, cursor_pos: peer.completion.length };
    figures.completion.push(
      await timed(async () => {
        const reply = await kernel.request('shell', 'complete_request', content);
        if (!reply.content.matches.some((match: string) => match.endsWith('floor')))
          throw new Error(`${peer.name} did not complete`);
      }),
    );
  }
  if (round % 5 === 0 && !figures.prints.includes(Infinity)) figures.prints.push(await prints(kernel, peer));
  // What was received is not looked at again: searching it would take longer each time.
  kernel.iopub.length = 0;
  kernel.replies.length = 0;
}

/**
 * Resolves to the milliseconds until all prints are there; `Infinity` where some are
 * lost, as stock tslab does when it is fast.
 */
async function prints(kernel: TestKernel, peer: Peer): Promise<number> {
  const began = performance.now();
  const id = kernel.send('shell', 'execute_request', { code: peer.prints });
  const whole = kernel.finish(id).then(({ outputs }) => {
    const ms = performance.now() - began;
    return text(outputs) === Array.from({ length: PRINTS }, (_, i) => `${i}\n`).join('') ? ms : Infinity;
  });
  return withinTimeout(whole);
}

function withinTimeout(work: Promise<number>): Promise<number> {
  work.catch(() => {});
  return Promise.race([work, new Promise<number>((resolve) => setTimeout(resolve, TIMEOUT, Infinity))]);
}

/** Resolves to the milliseconds until the loop has ended; `Infinity` where it does not. */
async function interrupt(kernel: TestKernel, peer: Peer, code = peer.loop, after = 500): Promise<number> {
  const id = kernel.send('shell', 'execute_request', { code });
  // No message says that the loop runs: tslab sends nothing while it computes.
  if (code !== peer.loop)
    await kernel.published(
      (it) => it.parentHeader.msg_id === id && String(it.content.text).startsWith('working'),
      'a sign of work',
    );
  await new Promise((resolve) => setTimeout(resolve, after));
  const began = performance.now();
  peer.interrupt(kernel);
  return withinTimeout(kernel.reply(id).then(() => performance.now() - began));
}

function median(values: number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param what the medians are of */
function print(all: Figures[], what: string): void {
  const unit = (key: string) => (key.startsWith('memory') ? 'MB' : 'ms');
  const figure = (key: string, value: number) =>
    Number.isNaN(value)
      ? '–'
      : value === Infinity
        ? key === 'prints'
          ? 'lost'
          : 'never'
        : value.toFixed(value < 100 ? 1 : 0);
  const rows = Object.entries(LINES)
    .filter(([key]) => all[0][key].length > 0)
    .map(([key, name]) => {
      const [ours, theirs, tslab] = all.map((figures) => median(figures[key]));
      return [
        Number.isNaN(theirs) ? '' : `${(theirs / ours).toFixed(2)} ×`,
        name,
        figure(key, ours),
        figure(key, theirs),
        figure(key, tslab),
        unit(key),
      ];
    });
  const columns = [
    { title: 'ratio' },
    { title: '', align: 'left' as const },
    ...PEERS.map(({ name }) => ({ title: name })),
    { title: '', align: 'left' as const },
  ];
  console.log(`${cpus().length} cores (${cpus()[0].model.trim()}), Node.js ${process.version}; medians of ${what}\n`);
  console.log(textTable(columns, rows));
}

/** Peers that have stopped answering, whose missing values are not printed. */
const silent = new Set<Peer>();

function gaveUp(peer: Peer, error: Error): void {
  if (peer === PEERS[0]) throw error;
  console.error(`${peer.name}: ${error.message}`);
  silent.add(peer);
}

function noFigures(): Figures[] {
  return PEERS.map(() => Object.fromEntries(Object.keys(LINES).map((key) => [key, []])));
}

/** Measures the start alone, in turns. */
async function starts(): Promise<void> {
  const all = noFigures();
  for (let i = 0; i <= MANY_STARTS; i++) {
    for (const [p, peer] of PEERS.entries()) {
      const kernel = await start(peer, i === 0 ? noFigures()[p] : all[p]);
      // What is loaded or kept for others a while after the start belongs to it.
      await new Promise((resolve) => setTimeout(resolve, i === 0 ? 5000 : 1000));
      if (i > 0) all[p].memoryCell.push(memory(kernel));
      await end(kernel);
    }
  }
  print(all, `${MANY_STARTS} starts`);
}

async function main(): Promise<void> {
  const all = noFigures();
  // Once without counting: from then on the files are in the system's cache.
  const warm: Figures = { start: [], first: [] };
  for (const peer of PEERS) {
    const kernel = await start(peer, warm);
    // Ours keeps its compiled code then.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await end(kernel);
  }
  for (let i = 0; i < STARTS - 1; i++) {
    for (const [p, peer] of PEERS.entries()) await end(await start(peer, all[p]));
  }
  const kernels: TestKernel[] = [];
  for (const [p, peer] of PEERS.entries()) {
    const kernel = await launch(peer);
    await kernel.request('shell', 'kernel_info_request');
    // Some load more after their first reply.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    all[p].memoryStart.push(memory(kernel));
    all[p].idle.push(await timed(() => kernel.execute('1')));
    await end(kernel);
    kernels.push(await start(peer, all[p]));
    all[p].memoryCell.push(memory(kernels[p]));
  }
  for (let round = -10; round < ROUNDS; round++) {
    for (const [p, peer] of PEERS.entries()) {
      const figures = round < 0 ? Object.fromEntries(Object.keys(LINES).map((key) => [key, []])) : all[p];
      if (!silent.has(peer))
        await measureRound(kernels[p], peer, figures, Math.abs(round)).catch((error) => gaveUp(peer, error));
    }
  }
  for (const [p, peer] of PEERS.entries()) {
    if (silent.has(peer)) continue;
    for (let i = 0; i < 3; i++) all[p].loop.push(await interrupt(kernels[p], peer));
    if (peer.preparation) await kernels[p].run(peer.preparation);
    for (const [line, code] of Object.entries(peer.work ?? {})) {
      // At different moments of the work.
      for (let i = 0; i < 5; i++) all[p][line].push(await interrupt(kernels[p], peer, code, 100 + 170 * i));
    }
  }
  print(all, `${STARTS} starts, ${ROUNDS} cells, ${ROUNDS / 2} completions, ${ROUNDS / 5} runs of prints`);
  for (const kernel of kernels) await end(kernel);
}

const work = process.argv[2] === 'start' ? starts : main;
work().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
