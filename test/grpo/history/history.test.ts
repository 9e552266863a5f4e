import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { exportRollouts, type TrainingStep } from '../../../kernel/grpo';
import { replayKept } from '../../../kernel/grpo/history/replay';
import { RolloutReader } from '../../../kernel/grpo/history/reader';
import { openWriter } from '../../../kernel/grpo/history/writer';
import { playing } from '../killed_run';
import { freshModel, newTrainer, quietHost, temporaryFolder, watchingHost } from '../fixtures';
import { batch, facts } from './fixtures';

before(quietHost);

const folder = temporaryFolder();
const { signal } = new AbortController();

/** Writes steps of eight rollouts, and returns a reader of the file. */
function written(name: string, steps: number[], limit = 1000): RolloutReader {
  const file = join(folder, name);
  const writer = openWriter(file, facts('one'), limit);
  for (const step of steps) writer.write(step, [batch(step, 8)]);
  writer.close();
  return RolloutReader.open(file);
}

test('every rollout of a run is kept: texts, program, episode, rewards, advantage, tokens, settings, log', async () => {
  const { env, rewardFuncs } = await playing('breakout');
  const outputDir = join(folder, 'run');
  const made: TrainingStep[] = [];
  const model = await freshModel({ maxSeqLength: 384 });
  const trainer = newTrainer(
    model,
    { maxSteps: 2, maxCompletionLength: 96, maxEpisodeSteps: 60, numGenerations: 4, outputDir },
    { env, rewardFuncs, trainDataset: undefined, onStep: (step) => void made.push(step) },
  );
  await trainer.train();
  const reader = RolloutReader.open(join(outputDir, 'rollouts.db'));
  const [{ run, steps, rollouts, environment }] = reader.runs();
  assert.deepEqual([steps, rollouts, environment], [2, 8, 'breakout']);
  const data = reader.run(run);
  assert.equal(data.settings.maxEpisodeSteps, 60);
  assert.deepEqual(data.functions, ['functionWorks', 'episodeReturn']);
  assert.deepEqual(data.log, trainer.logHistory);
  assert.equal(data.history[1].mean?.toFixed(4), trainer.logHistory[1].reward.toFixed(4));
  for (const { step, samples, rewards, advantages } of made) {
    const rows = reader.group(run, step);
    assert.equal(rows.length, 4);
    for (const [i, sample] of samples.entries()) {
      const kept = reader.rollout(rows[i].id);
      assert.deepEqual(
        [kept.prompt, kept.completion, kept.code, kept.steps, kept.return, kept.ending],
        [
          sample.prompt,
          sample.completion,
          sample.code,
          sample.episode?.steps ?? null,
          sample.episode?.return ?? null,
          sample.episode?.end.reason ?? null,
        ],
      );
      assert.deepEqual(
        Object.values(kept.rewards),
        rewards.values.map((column) => column[i]),
      );
      assert.equal(kept.advantage, advantages[i]);
      assert.equal(kept.completionTokens.texts.join(''), model.tokenizer.decode(sample.completionIds));
      assert.ok(kept.completionTokens.logprobs?.every((logprob) => logprob <= 0 && logprob > -20));
      const { states, strategySeconds, ...episode } = { ...sample.episode } as Record<string, unknown>;
      const { states: none, strategySeconds: some, ...same } = reader.kept(rows[i].id)?.episode ?? ({} as never);
      assert.deepEqual(same, JSON.parse(JSON.stringify(episode)));
      if (!sample.episode) continue;
      const { data, frames } = await replayKept(reader.kept(rows[i].id)!, { lines: true, signal });
      assert.deepEqual([data.states, data.note], [sample.episode.states, undefined]);
      assert.deepEqual([data.episode.frameCount, data.lines?.length], [kept.steps! + 1, kept.steps]);
      assert.ok(frames.length > 100);
    }
  }
  reader.close();
  await trainer.dispose();
  await env.close();
});

test('a kept episode has all columns, with named state where no replay gives it back', () => {
  const reader = written('columns.db', [1]);
  const [first] = reader.group('one', 1);
  const { strategySeconds, ...kept } = reader.kept(first.id)!.episode;
  assert.deepEqual({ ...kept }, { ...batch(1, 8).samples[0].episode });
  const { completionTokens, extra, weights, twins } = reader.rollout(first.id);
  assert.deepEqual(completionTokens.texts, ['<300>', '<5>', '<1>', '<0>', '<70000>']);
  assert.deepEqual(completionTokens.logprobs, [-42.857, -0.714, -0.143, 0, -65.535]);
  assert.deepEqual([extra, weights, twins], [{ notes: 'note 0' }, { scores: 1, survives: 2 }, 0]);
  reader.close();
});

test('the oldest rollouts go where there are more than the limit; the best of the run stay, and the curve is whole', () => {
  const reader = written(
    'limit.db',
    Array.from({ length: 40 }, (_, i) => i + 1),
    100,
  );
  const { history } = reader.run('one');
  assert.equal(history.length, 40);
  const counts = history.map(({ step }) => reader.group('one', step).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  assert.ok(total <= 100 && total > 90, `${total} are kept`);
  assert.deepEqual(counts.slice(-10), Array(10).fill(8));
  assert.deepEqual(
    reader.group('one', 1).map(({ reward }) => reward),
    [0, 1, 2, 3, 4, 5, 6].slice(-counts[0]),
  );
  assert.equal(reader.runs()[0].best, 6);
  reader.close();
});

test('a run that goes on in the same file replaces the steps that it makes again; another run stands beside it', () => {
  written('again.db', [1, 2, 3, 4]).close();
  const file = join(folder, 'again.db');
  const more = openWriter(file, facts('one'), 1000);
  more.write(3, [batch(3, 4), batch(3, 4)]);
  more.close();
  const other = openWriter(file, facts('two'), 1000);
  other.write(1, [batch(1, 4)]);
  other.close();
  const reader = RolloutReader.open(file);
  assert.deepEqual(
    reader.runs().map(({ run, steps, rollouts }) => [run, steps, rollouts]),
    [
      ['two', 1, 4],
      ['one', 3, 24],
    ],
  );
  assert.deepEqual(
    reader.group('one', 3).map(({ position, group }) => [position, group]),
    [0, 1, 2, 3, 4, 5, 6, 7].map((position) => [position, position >> 2]),
  );
  reader.close();
});

test('a process that is killed while it writes a step leaves the steps before it, and the next one goes on', () => {
  const file = join(folder, 'killed.db');
  const { signal, stderr } = spawnSync(process.execPath, [join(__dirname, 'killedWriter.js'), file, '5'], {
    encoding: 'utf8',
  });
  assert.equal(signal, 'SIGKILL', stderr);
  const reader = RolloutReader.open(file);
  assert.deepEqual(
    reader.run('killed').history.map(({ step }) => reader.group('killed', step).length),
    [8, 8, 8, 8],
  );
  const writer = openWriter(file, facts('killed'), 1000);
  writer.write(5, [batch(5, 8)]);
  assert.equal(reader.group('killed', 5).length, 8);
  writer.close();
  reader.close();
});

test('a file that is no database, or is broken, or missing, is told in a sentence', () => {
  const file = join(folder, 'text.db');
  writeFileSync(file, 'This is a text, and no database at all: '.repeat(100));
  assert.throws(() => RolloutReader.open(file), /DatabaseError.*text\.db: .*not a database/);
  assert.throws(() => openWriter(file, facts('one'), 10), /not a database/);
  assert.throws(() => RolloutReader.open(join(folder, 'none.db')), /none\.db: there is no such file/);
  const reader = written('cut.db', [1, 2, 3]);
  assert.throws(() => reader.rollout(1e6), /has no rollout 1000000 \(any more\)/);
  reader.close();
  truncateSync(join(folder, 'cut.db'), Math.floor(statSync(join(folder, 'cut.db')).size / 2));
  assert.throws(() => {
    const cut = RolloutReader.open(join(folder, 'cut.db'));
    for (const step of [1, 2, 3]) for (const { id } of cut.group('one', step)) cut.rollout(id);
  }, /malformed|not a database|disk I\/O/);
});

test('rolloutsTotalLimit: 0 keeps none; a folder that cannot be written is told once, and the run goes on', async () => {
  const off = join(folder, 'off');
  const model = await freshModel();
  const none = newTrainer(model, { maxSteps: 1, outputDir: off, rolloutsTotalLimit: 0 });
  await none.train();
  assert.equal(existsSync(join(off, 'rollouts.db')), false);
  const blocked = join(folder, 'blocked');
  writeFileSync(blocked, '');
  const marks = watchingHost();
  const trainer = newTrainer(model, { maxSteps: 2, outputDir: blocked, saveStrategy: 'no' });
  assert.equal((await trainer.train()).globalStep, 2);
  await trainer.dispose();
  const [told, ...more] = marks();
  assert.match(told, /^step 1: Rollouts cannot be kept from step 1 on: .*rollouts\.db: .* The run goes on/);
  assert.deepEqual(more, []);
  quietHost();
  await none.dispose();
});

test("exportRollouts writes Parquet with the columns of TRL's completions", async () => {
  written('export.db', [1, 2]).close();
  const file = join(folder, 'rollouts.parquet');
  assert.equal(await exportRollouts(join(folder, 'export.db'), file), 16);
  const { parquetReadObjects, asyncBufferFromFile } = await import('hyparquet');
  const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(file) })) as Array<Record<string, unknown>>;
  assert.deepEqual(Object.keys(rows[0]), ['step', 'prompt', 'completion', 'scores', 'survives', 'notes', 'advantage']);
  const { samples, table, advantages } = batch(2, 8);
  assert.deepEqual(rows[11], {
    step: 2n,
    prompt: samples[3].prompt,
    completion: samples[3].completion,
    scores: table.values[0][3],
    survives: table.values[1][3],
    notes: 'note 3',
    advantage: advantages[3],
  });
  await assert.rejects(
    exportRollouts(join(folder, 'export.db'), file, { run: 'other' }),
    /has no rollouts of run other/,
  );
});
