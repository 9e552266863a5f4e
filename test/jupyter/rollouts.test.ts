import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import {
  ROLLOUTS_COMM,
  type FoundRollouts,
  type RelatedRollouts,
  type ReplayData,
  type RolloutData,
  type RolloutRow,
  type RolloutsRequest,
  type RunSummary,
} from '../../kernel/display/rollouts';
import { openenv } from '../../kernel/environments';
import { openWriter } from '../../kernel/grpo/history/writer';
import { executeWithTimeLimit } from '../../kernel/rollout';
import { batch, facts } from '../grpo/history/fixtures';
import { TestKernel } from './client';

const folder = mkdtempSync(join(tmpdir(), 'joylab-rollouts-'));
const database = join(folder, 'rollouts.db');
const code = `function strategy(state) {
  if (state.ball_x < state.paddle_x) return 'LEFT';
  return state.lives > 3 ? 'FIRE' : 'RIGHT';
}`;

let kernel: TestKernel;
/** What was played before the kernel started. */
let played: { states: Record<string, number[]>; actions: string[] };

before(async () => {
  const env = await openenv('atari', { game: 'breakout' });
  const episode = await executeWithTimeLimit(code, env, { seed: 4, maxSteps: 80 });
  await env.close();
  played = { states: episode.states, actions: episode.actions.map((action) => episode.actionNames[action]) };
  const rollouts = batch(1, 8);
  rollouts.samples[2].episode = episode;
  rollouts.samples[2].code = code;
  const writer = openWriter(database, facts('run', { replays: true }), 100);
  writer.write(1, [rollouts]);
  writer.close();
  kernel = await TestKernel.start();
});
after(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let opened = 0;

/** Opens a view of a file; gives the function by which it asks. */
function view(file: string) {
  const comm_id = `rollouts-${++opened}`;
  let asked = 0;
  kernel.send('shell', 'comm_open', { comm_id, target_name: ROLLOUTS_COMM, data: { database: file } });
  return async <Result>(request: Omit<RolloutsRequest, 'id'>): Promise<Result & { buffers: Uint8Array[] }> => {
    const id = ++asked;
    kernel.send('shell', 'comm_msg', { comm_id, data: { ...request, id } });
    const answer = () =>
      kernel.iopub.find(({ content }) => content.comm_id === comm_id && content.data?.id === id && 'data' in content);
    await kernel.until(() => answer() !== undefined, `the answer to ${request.method}`);
    const { content, buffers } = answer()!;
    if (content.data.error) throw new Error(content.data.error);
    return Object.assign(content.data.result, { buffers });
  };
}

test('a kernel that has made no run reads what another has kept, and plays it again with the lines that decided', async () => {
  const ask = view(database);
  const [{ run, steps }] = await ask<RunSummary[]>({ method: 'runs' });
  assert.deepEqual([run, steps], ['run', 1]);
  const group = await ask<RolloutRow[]>({ method: 'group', run, step: 1 } as never);
  const { id } = group[2];
  const rollout = await ask<RolloutData>({ method: 'rollout', rollout: id } as never);
  assert.equal(rollout.code, code);
  const { episode, states, lines, note, buffers } = await ask<ReplayData>({
    method: 'replay',
    rollout: id,
    lines: true,
  } as never);
  assert.deepEqual([states, note], [played.states, undefined]);
  const lineOf = { LEFT: 2, FIRE: 3, RIGHT: 3 } as Record<string, number>;
  assert.deepEqual(
    lines,
    played.actions.map((action) => lineOf[action]),
  );
  assert.equal(inflateSync(buffers[0]).length, episode.frameCount * episode.width * episode.height);
  assert.equal(episode.frameCount, 81);
});

test('what cannot be read or played again is told in a sentence, and the view goes on', async () => {
  await assert.rejects(view(join(folder, 'none.db'))({ method: 'runs' }), /there is no such file/);
  const ask = view(database);
  await assert.rejects(ask({ method: 'rollout', rollout: 99 } as never), /has no rollout 99 \(any more\)/);
  const [{ id }] = await ask<RolloutRow[]>({ method: 'group', run: 'run', step: 1 } as never);
  await assert.rejects(
    ask({ method: 'replay', rollout: id } as never),
    /made again in line, which is not open: run the notebook's environment cell/,
  );
  assert.equal((await ask<RunSummary[]>({ method: 'runs' })).length, 1);
});

test('any rollout of a run is found: by its step, by words, as the parent of one, as the best', async () => {
  const file = join(folder, 'edits.db');
  const writer = openWriter(file, facts('edits'), 1000);
  const [first, second] = [batch(1, 8), batch(2, 8)];
  second.samples[3].parent = { id: 7, worth: 0.5, code: first.samples[5].code! } as never;
  writer.write(1, [first]);
  writer.write(2, [second]);
  writer.close();
  const ask = view(file);
  const search = async (text: string) => {
    const { rows, more } = await ask<FoundRollouts>({ method: 'search', run: 'edits', text } as never);
    assert.equal(more, false);
    return rows.map(({ step, position }) => `${step}.${position + 1}`);
  };
  assert.deepEqual(
    await search('2'),
    [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `2.${number}`),
  );
  assert.deepEqual(await search('step 1, no. 4'), ['1.4']);
  assert.deepEqual(await search('< 103 LEFT truncated'), ['1.4'], 'words of a program and of its ending');
  const found = await search('state.ball_x return');
  assert.deepEqual([found.length, found[0], found.at(-1)], [16, '1.8', '2.1'], 'the best first');
  assert.deepEqual(await search('nothing'), []);

  const rows = await ask<RolloutRow[]>({ method: 'group', run: 'edits', step: 2 } as never);
  const related = await ask<RelatedRollouts>({ method: 'related', rollout: rows[3].id } as never);
  const place = (row: RolloutRow | null) => row && [row.step, row.position];
  assert.deepEqual(
    [place(related.parent), place(related.best)],
    [
      [1, 5],
      [1, 7],
    ],
  );
  const without = await ask<RelatedRollouts>({ method: 'related', rollout: rows[0].id } as never);
  assert.equal(without.parent, null);
});
