import { episodeData } from '../../../kernel/display/pictures/episode';
import { textTable } from '../../../kernel/display/table';
import { openenv } from '../../../kernel/environments';
import { rollout } from '../../../kernel/rollout';

/** A strategy for each game that keeps it going. */
const STRATEGIES = {
  breakout:
    'function strategy(s) { return s.ball_x > s.paddle_x + 2 ? "RIGHT" : s.ball_x < s.paddle_x - 2 ? "LEFT" : "NOOP"; }',
  pong: 'let n = 0; function strategy() { return n++ % 20 < 10 ? "LEFT" : "RIGHT"; }',
  freeway: 'function strategy() { return "UP"; }',
  space_invaders: 'let n = 0; function strategy() { return n++ % 20 < 10 ? "LEFTFIRE" : "RIGHTFIRE"; }',
};

/** Bytes of a notebook per 1,000 frames of an episode, every step, without loss. */
export async function notebook(): Promise<void> {
  const rows: string[][] = [];
  for (const [game, strategy] of Object.entries(STRATEGIES) as Array<[keyof typeof STRATEGIES, string]>) {
    const env = await openenv('atari', { game });
    const { episodes, frames } = await rollout(env, [strategy], {
      seeds: [1],
      maxSteps: 1000,
      frames: { episodes: [0], every: 1 },
    });
    const begun = performance.now();
    const data = episodeData(episodes[0]!, frames.get(0)!);
    const time = performance.now() - begun;
    const perThousand = (data.frames.length / data.frameCount) * 1000;
    rows.push([
      game,
      String(data.frameCount),
      data.encoding ?? 'xor',
      `${(perThousand / 1000).toFixed(0)} KB`,
      `${time.toFixed(0)} ms`,
    ]);
    await env.close();
  }
  const titles = ['frames', 'packed as', 'per 1,000 frames', 'packing'].map((title) => ({ title }));
  console.log(textTable([{ title: 'game', align: 'left' }, ...titles], rows));
}
