import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setCellContext, type Comm } from '../../kernel/display/cellContext';
import type { TrainingControl, TrainingMessage } from '../../kernel/display/mime';
import type { GRPOTrainerOptions } from '../../kernel/grpo/trainer';
import { freshModel, newTrainer, outcome, quietHost, temporaryFolder, uninterrupted } from './fixtures';

let whole: Awaited<ReturnType<typeof uninterrupted>>;

before(async () => {
  quietHost();
  whole = await uninterrupted();
});

/** A context in which a view of the run is open: what the view gets, and what it says. */
function watched(): { received: TrainingMessage[]; say(control: TrainingControl): void } {
  const received: TrainingMessage[] = [];
  let say: (message: object) => void = () => {};
  const comm: Comm = {
    commId: 'view',
    send: (message) => void received.push(message as TrainingMessage),
    onMessage: (handler) => {
      say = (message) => handler(message, []);
    },
    onClose() {},
    close() {},
  };
  let connect = (_runId: string): void => {};
  setCellContext({
    signal: new AbortController().signal,
    registerCommTarget: (_, open) => {
      connect = (runId) => open(comm, { runId }, []);
    },
    // The view opens its comm when it is shown.
    display: (bundle) => {
      const data = Object.values(bundle)[0] as { runId?: string };
      if (data.runId && received.length === 0) connect(data.runId);
    },
  });
  return { received, say: (control) => say({ type: 'control', control }) };
}

const notices = (received: TrainingMessage[]): string[] =>
  received.flatMap((message) => (message.type === 'notice' ? [message.text] : []));

async function trainerThat(onStep: GRPOTrainerOptions['onStep'], outputDir: string | null = null) {
  return newTrainer(await freshModel(), { outputDir, saveStrategy: 'no' }, { onStep });
}

test('a run that a view pauses goes on with the same numbers, and a run that an interrupt pauses is not paused by a view', async () => {
  const view = watched();
  const trainer = await trainerThat(({ step }) => void (step === 2 && setTimeout(() => view.say('pause'), 5)));
  assert.equal((await trainer.train()).status, 'paused');
  assert.equal(trainer.pausedFromView, true);
  const abort = new AbortController();
  abort.abort();
  await trainer.train({ signal: abort.signal });
  assert.deepEqual([trainer.status, trainer.pausedFromView], ['paused', false]);
  assert.equal((await trainer.train()).status, 'finished');
  assert.deepEqual(outcome(trainer), whole);
  quietHost();
});

test('a run that a view stops ends after its step, and keeps what it has learned', async () => {
  const view = watched();
  const trainer = await trainerThat(({ step }) => void (step === 2 && view.say('stop')));
  const { status, globalStep } = await trainer.train();
  assert.deepEqual([status, globalStep], ['finished', 2]);
  assert.deepEqual(outcome(trainer).log, whole.log.slice(0, 2));
  quietHost();
});

test('a view has checkpoints written: after the step of a run that goes on, and at once of one that is paused', async () => {
  const folder = temporaryFolder();
  const view = watched();
  const trainer = await trainerThat(({ step }) => {
    if (step === 1) view.say('save');
    if (step === 3) view.say('pause');
  }, folder);
  await trainer.train();
  assert.equal(trainer.status, 'paused');
  assert.ok(existsSync(join(folder, 'checkpoint-2', 'trainer_state.json')));
  assert.deepEqual(notices(view.received), [
    'A checkpoint is written after this step',
    `Saved as ${join(folder, 'checkpoint-2')}`,
  ]);
  view.say('save');
  for (const end = Date.now() + 30_000; notices(view.received).length < 3 && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(notices(view.received)[2], `Saved as ${join(folder, `checkpoint-${trainer.globalStep}`)}`);
  view.say('stop');
  const status = () => trainer.status as string;
  for (const end = Date.now() + 30_000; status() !== 'finished' && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(status(), 'finished', 'a paused run ends');
  quietHost();
});

test('a run without a folder for checkpoints says what to set', async () => {
  const view = watched();
  const trainer = await trainerThat(({ step }) => {
    if (step === 1) view.say('save');
    if (step === 2) view.say('stop');
  });
  await trainer.train();
  assert.match(notices(view.received)[0], /set outputDir/);
  quietHost();
});
