import type { RolloutGroup, TrainingData } from '../../../kernel/display/mime';
import { episodeParts } from '../../../kernel/display/pictures/episode';
import { textTable } from '../../../kernel/display/table';
import { trainingBundle } from '../../../kernel/display/training/trainingBundle';
import { openenv } from '../../../kernel/environments';
import { rollout } from '../../../kernel/rollout';
import { writeNotebook } from '../../extension/notebooks';
import { inLab, measure, TIMES, timesRow } from './page';

const SIZES = [6, 16, 64];
const SECONDS = 6;

/** Pictures per second of 6, 16 and 64 games of Breakout side by side. */
export async function wall(): Promise<void> {
  const group = await playedGroup(Math.max(...SIZES));
  const rows = await inLab(async (lab, open) => {
    const measured: string[][] = [];
    for (const size of SIZES) {
      const name = `wall-${size}.ipynb`;
      writeNotebook(lab.folder, name, [{ source: '', outputs: [trainingBundle(runWith(group, size))] }]);
      const { page } = await open(name);
      await page
        .locator('.joylab-Tile')
        .nth(size - 1)
        .waitFor();
      await page.locator('.joylab-Wall').scrollIntoViewIfNeeded();
      await page.waitForTimeout(1500);
      measured.push([`${size} games`, ...timesRow(await measure(page, SECONDS))]);
      await page.close();
    }
    return measured;
  });
  console.log(textTable([{ title: '', align: 'left' }, ...TIMES.map((title) => ({ title }))], rows));
}

/** Plays a group from different starts, with strategies that follow the ball more or less well. */
async function playedGroup(size: number): Promise<RolloutGroup> {
  const env = await openenv('atari', { game: 'breakout' });
  try {
    const codes = Array.from(
      { length: size },
      (_, i) =>
        `function strategy(s) { return s.ball_x > s.paddle_x + ${i % 9} ? "RIGHT" : s.ball_x < s.paddle_x - ${i % 9} ? "LEFT" : "NOOP"; }`,
    );
    const { episodes, frames } = await rollout(env, codes, {
      seeds: codes.map((_, i) => i),
      maxSteps: 1000,
      frames: { episodes: codes.map((_, i) => i), every: 4, packed: true },
    });
    const scores = episodes.map((episode, index) => ({
      index,
      reward: episode!.return,
      advantage: 0,
      rewards: { return: episode!.return },
    }));
    const shown = episodes.map((episode, i) => {
      const { data, frames: bytes } = episodeParts(episode!, frames.get(i)!);
      return { ...data, frames: Buffer.from(bytes).toString('base64') };
    });
    return { step: 1, episodes: shown, scores, of: size };
  } finally {
    await env.close();
  }
}

function runWith({ episodes, scores = [], ...group }: RolloutGroup, size: number): TrainingData {
  return {
    version: 1,
    runId: `wall-${size}`,
    status: 'finished',
    step: 1,
    maxSteps: 1,
    rewardNames: ['return'],
    log: [],
    events: [],
    group: { ...group, episodes: episodes.slice(0, size), scores: scores.slice(0, size), of: size },
  };
}
