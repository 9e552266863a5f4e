import assert from 'node:assert/strict';
import { beforeEach, mock, test, afterEach } from 'node:test';
import { display } from '../../kernel/display';
import {
  setCellContext,
  type Comm,
  type DisplayOptions,
  type CellContext,
  type MimeBundle,
} from '../../kernel/display/cellContext';
import {
  TRAINING_COMM,
  TRAINING_MIME,
  type EpisodeData,
  type TrainingData,
  type TrainingMessage,
} from '../../kernel/display/mime';
import { runTimes } from '../../kernel/display/training/timing';
import { TrainingOutput } from '../../kernel/display/training/training';
import { progressLine, trainingBundle, trainingCharts } from '../../kernel/display/training/trainingBundle';

/** A context that keeps what it is told. */
class RecordingContext implements CellContext {
  readonly signal = new AbortController().signal;
  readonly displays: Array<{ bundle: MimeBundle; options?: DisplayOptions }> = [];
  readonly targets = new Map<string, (comm: Comm, data: unknown, buffers: Uint8Array[]) => void>();

  display(bundle: MimeBundle, options?: DisplayOptions): void {
    this.displays.push({ bundle, options });
  }

  registerCommTarget(target: string, onOpen: (comm: Comm, data: unknown, buffers: Uint8Array[]) => void): void {
    this.targets.set(target, onOpen);
  }
}

/** The front end's end of a comm. */
class View implements Comm {
  readonly commId = 'view';
  readonly received: Array<{ message: TrainingMessage; buffers: Uint8Array[] }> = [];
  closed = false;
  private handler: (data: any, buffers: Uint8Array[]) => void = () => {};
  private closeHandler: () => void = () => {};

  send(message: object, buffers: Uint8Array[] = []): void {
    this.received.push({ message: message as TrainingMessage, buffers });
  }
  onMessage(handler: (data: any, buffers: Uint8Array[]) => void): void {
    this.handler = handler;
  }
  onClose(handler: () => void): void {
    this.closeHandler = handler;
  }
  close(): void {
    this.closed = true;
  }
  say(data: object): void {
    this.handler(data, []);
  }
  leave(): void {
    this.closeHandler();
  }
  types(): string[] {
    return this.received.map(({ message }) => message.type);
  }
}

let context: RecordingContext;
let run: TrainingData;

beforeEach(() => {
  setCellContext((context = new RecordingContext()));
  run = {
    version: 1,
    runId: 'run-1',
    status: 'running',
    step: 0,
    maxSteps: 80,
    rewardNames: ['works', 'score'],
    log: [],
    events: [],
  };
});
afterEach(() => mock.timers.reset());

function entry(step: number, more: Record<string, number> = {}): Record<string, number> {
  const scores = { 'rewards/works/mean': 1, 'rewards/score/mean': step / 3, reward: 1 + step / 3, reward_std: 0.5 };
  return { step, loss: 0.01 * step, ...scores, 'completions/mean_length': 40 + step, step_time: 3, ...more };
}

const episode = { data: { environment: 'breakout', frames: '' } as EpisodeData, frames: new Uint8Array([1, 2, 3]) };
const group = (step: number) => ({ step, episodes: [episode] });

function open(runId = 'run-1'): View {
  const view = new View();
  context.targets.get(TRAINING_COMM)!(view, { runId }, []);
  return view;
}

test('the bundle has our JSON, charts and table as HTML, and a table as text', () => {
  run.log = [entry(1), entry(2, { kl: 0.1234 })];
  run.events = [{ step: 2, text: 'score <replaced>' }];
  const bundle = trainingBundle({ ...run, status: 'finished', step: 2, maxSteps: 2 });
  const html = bundle['text/html'] as string;
  const charts = [...html.matchAll(/<img alt="([^"]+)"[^>]* src="data:image\/svg\+xml;base64,([^"]+)"/g)];
  assert.deepEqual(
    charts.map(([, title]) => title),
    ['reward, mean ± spread', 'reward functions', 'completion length, tokens', 'loss'],
  );
  for (const [, , source] of charts) {
    const svg = Buffer.from(source, 'base64').toString();
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^]*<title>score &lt;replaced&gt;<\/title>[^]*<polyline[^]*<\/svg>$/,
    );
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  }
  assert.match(html, /score &lt;replaced&gt;/);
  assert.match(
    html,
    /<th[^>]*>step<\/th><th[^>]*>loss<\/th><th[^>]*>reward<\/th><th[^>]*>reward_std<\/th><th[^>]*>works<\/th><th[^>]*>score<\/th><th[^>]*>completion length<\/th><th[^>]*>kl<\/th>/,
  );
  assert.match(bundle['text/plain'] as string, /Training finished: step 2 of 2, 6 s/);
  assert.match(bundle['text/plain'] as string, /\n +2 +0\.0200 +1\.67 +0\.50 +1\.00 +0\.67 +42\.0 +0\.1234$/);
  const data = bundle[TRAINING_MIME] as TrainingData;
  assert.equal(data.log[0].reward, 1.33333);
  assert.deepEqual(data.events, run.events);
});

test('a run that edits programs shows the best one, and how many edits are better; a search alone no loss', () => {
  const programs = (best: number) => ({
    'refinement/best_worth': best,
    'refinement/improved': 0.125,
    'refinement/duplicates': 0.25,
    'refinement/failed': 0,
    'refinement/archive_size': 60,
  });
  run.log = [entry(1, programs(3)), entry(2, programs(4.5))];
  const titles = () => trainingCharts(run).map(({ title }) => title);
  assert.deepEqual(titles().slice(2, 4), [
    'best program, expected reward',
    'completions: better than their parent, duplicates, failed',
  ]);
  assert.ok(titles().includes('loss'));
  for (const logged of run.log) delete logged.loss;
  assert.ok(!titles().includes('loss'));
  const bundle = trainingBundle(run);
  assert.match(
    bundle['text/plain'] as string,
    /step +reward +reward_std +works +score +best program +better edits +completion length\n[^]*\n +2 +1\.67 +0\.50 +1\.00 +0\.67 +4\.50 +0\.13 +42\.0$/,
  );
  assert.doesNotMatch(bundle['text/html'] as string, /NaN|undefined/);
  assert.match(progressLine(run.log[1], 80), /reward 1\.67 ± 0\.50 {2}best program 4\.50 {2}length/);
});

test('a run without steps, and one whose values do not change, can be drawn', () => {
  assert.doesNotMatch(trainingBundle(run)['text/html'] as string, /<img/);
  run.log = [1, 2, 3].map((step) => ({ step, loss: 0, reward: 2, reward_std: 0, 'completions/mean_length': 7 }));
  const svgs = [...(trainingBundle(run)['text/html'] as string).matchAll(/base64,([^"]+)"/g)].map(([, s]) =>
    Buffer.from(s, 'base64').toString(),
  );
  assert.equal(svgs.length, 4);
  for (const svg of svgs) assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test('a long run keeps the table short and the newest step in it', () => {
  run.log = Array.from({ length: 1001 }, (_, i) => entry(i + 1));
  const rows = (trainingBundle(run)['text/plain'] as string).split('\n');
  assert.ok(rows.length <= 205);
  assert.match(rows.at(-1)!, /^1001 /);
});

test('the output is updated at most once a second, and at once at the end', () => {
  // The types know an older signature.
  (mock.timers.enable as (options: object) => void).call(mock.timers, { apis: ['setTimeout', 'Date'], now: 10_000 });
  const output = new TrainingOutput(run);
  output.show();
  for (let step = 1; step <= 40; step++) {
    mock.timers.tick(100);
    output.log(entry(step));
  }
  assert.equal(context.displays.length, 1 + 4);
  output.status('finished');
  assert.equal(context.displays.length, 1 + 5);
  const ids = new Set(context.displays.map(({ options }) => options?.displayId));
  assert.equal(ids.size, 1);
  assert.deepEqual(
    context.displays.map(({ options }) => options?.update ?? false),
    [false, true, true, true, true, true],
  );
  mock.timers.tick(5000);
  assert.equal(context.displays.length, 1 + 5, 'nothing follows the end');
  assert.equal((context.displays.at(-1)!.bundle[TRAINING_MIME] as TrainingData).log.length, 40);
});

test('the output of a run that rests keeps the newest group, frames and all; one that goes on lets it go', () => {
  const output = new TrainingOutput(run);
  output.show();
  output.group(group(1));
  const saved = () => (context.displays.at(-1)!.bundle[TRAINING_MIME] as TrainingData).group;
  output.status('paused');
  assert.equal(saved()?.step, 1);
  assert.deepEqual(Buffer.from(saved()!.episodes[0]!.frames, 'base64'), Buffer.from(episode.frames));
  output.status('running');
  assert.equal(saved(), undefined);
});

test('every view gets the run when it opens, then what happens', () => {
  const output = new TrainingOutput(run);
  output.show();
  output.log(entry(1));
  const [first, second] = [open(), open()];
  output.log(entry(2));
  output.event({ step: 2, text: 'score replaced' });
  second.leave();
  output.status('paused');
  assert.deepEqual(first.types(), ['data', 'log', 'event', 'status']);
  assert.deepEqual(second.types(), ['data', 'log', 'event']);
  assert.equal((first.received[0].message as { data: TrainingData }).data.runId, 'run-1');
});

test('a group is sent only while visible, and after the one before was acknowledged', () => {
  const output = new TrainingOutput(run);
  output.show();
  const view = open();
  assert.equal(output.wantsFrames, false);
  output.group(group(1));
  assert.deepEqual(view.types(), ['data']);

  view.say({ type: 'visible', visible: true });
  assert.equal(output.wantsFrames, true);
  assert.deepEqual(view.types(), ['data', 'group']);
  assert.deepEqual(view.received[1].buffers, [episode.frames]);
  output.group(group(2));
  output.group(group(3));
  assert.equal(view.received.length, 2, 'the first is still being shown');
  view.say({ type: 'ack', step: 1 });
  assert.deepEqual(view.received[2].message, { type: 'group', step: 3, episodes: [episode.data], number: 2 });
  view.say({ type: 'ack', step: 3 });
  assert.equal(view.received.length, 3, 'a group is sent once');
  view.say({ type: 'visible', visible: false });
  output.group(group(4));
  assert.equal(view.received.length, 3);
  assert.equal(output.wantsFrames, false);
});

test('a view of a run that pauses gets the newest group at once, and what it asks for is passed on', () => {
  const output = new TrainingOutput(run);
  output.begin({ maxSteps: 80 });
  output.log(entry(1));
  const view = open();
  view.say({ type: 'visible', visible: true });
  output.group(group(1));
  output.group(group(2));
  const asked: string[] = [];
  output.control = (control) => void asked.push(control);
  view.say({ type: 'control', control: 'pause' });
  assert.deepEqual(asked, ['pause']);
  output.pause();
  assert.deepEqual(view.types(), ['data', 'group', 'event', 'status', 'group']);
  assert.equal((view.received.at(-1)!.message as { step: number }).step, 2);
  output.begin({});
  assert.deepEqual(run.events, [
    { step: 1, text: 'paused', kind: 'pause' },
    { step: 1, text: 'resumed', kind: 'resume' },
  ]);
});

test('the time that is left does not count the first step, once there is a second, and counts evaluations', () => {
  const times = (log: TrainingData['log']) => runTimes({ ...run, log, step: log.at(-1)?.step ?? 0, maxSteps: 12 });
  assert.equal(times([]).left, null);
  assert.equal(times([entry(1, { step_time: 60 })]).left, 660);
  const log = [entry(1, { step_time: 60 }), entry(2, { step_time: 2 })];
  assert.deepEqual(times(log), { spent: 62, perStep: 2, left: 20 });
  assert.equal(times([...log, { step: 2, eval_runtime: 4 }]).left, 40);
});

test('a view of a run that this kernel does not know is closed', () => {
  new TrainingOutput(run).show();
  assert.equal(open('another').closed, true);
});

test('display shows bundles as they are, objects as they say, and the rest as text, in order', async () => {
  const slow = {
    [Symbol.for('Jupyter.display')]: async () => (
      await new Promise((done) => setTimeout(done, 20)), { 'text/plain': 'slow' }
    ),
  };
  void display(slow);
  void display({ 'text/html': '<b>x</b>', 'text/plain': 'x' });
  void display({ [Symbol.for('Jupyter.display')]: () => ({ 'text/plain': 'own' }) });
  await display({ a: 1 });
  await display('words', { displayId: 'd' });
  await display({
    [Symbol.for('Jupyter.display')]: () => {
      throw new Error('no frames');
    },
  });
  const shown = context.displays.map(({ bundle }) => bundle['text/plain']);
  assert.deepEqual(shown, ['slow', 'x', 'own', '{ a: 1 }', 'words', 'This object could not be displayed. no frames']);
  assert.equal(context.displays[4].options?.displayId, 'd');
});
