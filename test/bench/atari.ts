/**
 * Atari beside its peers: `npm run bench -- atari [game …]`.
 *
 * - 16 strategies over RAM on Atari's stream, beside ale-py alone doing the same
 *   steps in as many processes (the scores are compared), and beside OpenEnv's
 *   own Atari server with its own client;
 * - the same with every frame kept for display, beside that server with `rgb`;
 * - one session over standard WebSocket with RAM, our client beside OpenEnv's
 *   Python client, both on our server.
 *
 * Each is run right beside its peer, again and again: the ratio is the median of
 * the pairs' ratios, as a machine's speed may change from second to second.
 * Stickiness and idle starts are off, so that ALE alone can do the same steps
 * with its own frame skip.
 */
import { OpenEnvClient } from '../../kernel/openenv';
import { openenv, type AtariEnvironment, type AtariGame } from '../../kernel/environments';
import { acquireServer } from '../../kernel/environments/atari/servers';
import { rollout, type Episode } from '../../kernel/rollout';
import { officialAtari } from '../environments/official';
import { Peer } from './atari/peer';

const STRATEGIES = 16;
const STEPS = 500;
const REPEATS = 5;
/** Pairs with ALE alone for each pair with another peer: they vary least. */
const ALE_PAIRS = 3;
const PLAIN = { autoFire: false, repeatActionProbability: 0, noopMax: 0 };
const SESSION_STEPS = 1000;

async function main(): Promise<void> {
  const games = (
    process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['breakout', 'pong', 'seaquest']
  ) as AtariGame[];
  const rows: string[][] = [['', 'ratio', 'goal', 'Joylab', 'peer', 'peer is']];
  for (const game of games) rows.push(...(await compare(game)));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  console.log(
    `Steps per second, medians of ${REPEATS} pairs, with ALE alone of ${REPEATS * ALE_PAIRS}; ${STRATEGIES} strategies of up to ${STEPS} steps, frame skip 4.`,
  );
  for (const row of rows)
    console.log(
      row
        .map((cell, column) =>
          column === 0 || column === 5 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
        )
        .join('  '),
    );
}

async function compare(game: AtariGame): Promise<string[][]> {
  const env = await openenv('atari', { game, ...PLAIN });
  const processes = (await env.vectorSources()).length;
  const codes = strategies(env);
  const { episodes } = await play(env, codes, false);
  await play(env, codes, true);
  const alone = await aleAlone(episodes, processes);
  const official = await Promise.all(
    ['ram', 'rgb'].map((type) => officialAtari({ ATARI_GAME: game, ATARI_OBS_TYPE: type })),
  );
  const clients = [
    await Peer.start('client.py', [official[0].url, 'official', '500']),
    await Peer.start('client.py', [official[1].url, 'official', '20']),
  ];
  const { server, release } = await acquireServer(env.options as any);
  const generic = await Peer.start('client.py', [server.url, 'generic', String(SESSION_STEPS)]);
  const ours = await OpenEnvClient.connect(server.url);

  const ram = async (): Promise<number> => (await play(env, codes, false)).rate;
  const ale: Pair[] = [],
    officialRam: Pair[] = [],
    officialRgb: Pair[] = [],
    session: Pair[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (let i = 0; i < ALE_PAIRS; i++) ale.push(await pair(ram, alone.rate, i % 2 === 1));
    officialRam.push(await pair(ram, async () => rateOf(await clients[0].run())));
    officialRgb.push(
      await pair(
        async () => (await play(env, codes, true)).rate,
        async () => rateOf(await clients[1].run()),
      ),
    );
    session.push(
      await pair(
        () => sessionRate(ours, env.actions.length),
        async () => rateOf(await generic.run()),
      ),
    );
  }

  for (const peer of [...clients, generic, alone]) peer.close();
  await ours.close();
  await release();
  await Promise.all(official.map((server) => server.close()));
  await env.close();
  return [
    row(`${game}: Atari stream, RAM`, ale, 0.85, `ale-py alone, ${processes} processes`),
    row(`${game}: Atari stream, RAM`, officialRam, 4, 'official client and server'),
    row(`${game}: Atari stream, every frame`, officialRgb, 40, 'official client and server, rgb'),
    row(`${game}: one session, WebSocket, RAM`, session, 1, 'official Python client, our server'),
  ];
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const rateOf = ({ steps, seconds }: { steps: number; seconds: number }): number => steps / seconds;

/** Steps per second of ours and of the peer, measured right after each other. */
type Pair = [ours: number, peer: number];

async function pair(ours: () => Promise<number>, peer: () => Promise<number>, peerFirst = false): Promise<Pair> {
  const first = await (peerFirst ? peer : ours)();
  const second = await (peerFirst ? ours : peer)();
  return peerFirst ? [second, first] : [first, second];
}

function row(what: string, pairs: Pair[], goal: number, who: string): string[] {
  const ratio = median(pairs.map(([ours, peer]) => ours / peer));
  const [ours, peer] = [0, 1].map((i) => median(pairs.map((rates) => rates[i])).toFixed(0));
  return [what, ratio.toFixed(2), `≥ ${goal}`, ours, peer, who];
}

/** Returns programs of usual size, all different: equal ones would be played once. */
function strategies({ actions, stateVariables }: AtariEnvironment): string[] {
  const moves = actions.filter((action) => action !== 'FIRE');
  const serves = stateVariables.some(({ name }) => name === 'ball_y') && actions.includes('FIRE');
  return Array.from({ length: STRATEGIES }, (_, i) => {
    const [a, b, c] = [0, 2, 1].map((k) => stateVariables[k].name);
    return `let step = ${i};
function strategy(state) {
  step++;
${serves ? '  if (state.ball_y === 0 || step % 32 === 0) return "FIRE";\n' : ''}  if (state.${a} > state.${b} + ${i}) return "${moves[(i + 1) % moves.length]}";
  if (Math.abs(state.${c} - 80) < ${i}) return "${moves[0]}";
  return "${moves[(i + 2) % moves.length]}";
}`;
  });
}

async function play(
  env: AtariEnvironment,
  codes: string[],
  frames: boolean,
): Promise<{ rate: number; episodes: Episode[] }> {
  const start = performance.now();
  const options = frames ? { frames: { episodes: codes.map((_, i) => i), every: 1 } } : {};
  const result = await rollout(env, codes, { seeds: codes.map((_, i) => i), maxSteps: STEPS, ...options });
  const seconds = (performance.now() - start) / 1000;
  const episodes = result.episodes as Episode[];
  const broken = episodes.find(({ end }) => end.reason !== 'truncated' && end.reason !== 'terminated');
  if (broken) throw new Error(`A strategy ended by ${broken.end.reason}: ${broken.end.message}`);
  return { rate: stepsOf(episodes) / seconds, episodes };
}

const stepsOf = (episodes: Episode[]): number => episodes.reduce((sum, episode) => sum + episode.steps, 0);

/** Plays the same steps in ALE alone, spread evenly over processes; the slowest process counts. */
async function aleAlone(episodes: Episode[], processes: number): Promise<{ rate(): Promise<number>; close(): void }> {
  const shares = Array.from({ length: processes }, () => ({ steps: 0, episodes: [] as Episode[] }));
  for (const episode of [...episodes].sort((a, b) => b.steps - a.steps)) {
    const share = shares.reduce((least, other) => (other.steps < least.steps ? other : least));
    share.steps += episode.steps;
    share.episodes.push(episode);
  }
  const peers = await Promise.all(
    shares.map(({ episodes }) =>
      Peer.start('ale_alone.py', [], {
        game: episodes[0].options.game,
        frame_skip: episodes[0].options.frameSkip,
        episodes: episodes.map(({ actions, actionNames }) => actions.map((action) => actionNames[action])),
      }),
    ),
  );
  const score = episodes.reduce((sum, episode) => sum + episode.return, 0);
  return {
    async rate() {
      const results = await Promise.all(peers.map((peer) => peer.run()));
      const theirs = results.reduce((sum, result) => sum + result.score, 0);
      if (theirs !== score)
        throw new Error(`ALE alone scored ${theirs}, the strategies ${score}: these are not the same steps.`);
      return stepsOf(episodes) / Math.max(...results.map(({ seconds }) => seconds));
    },
    close: () => peers.forEach((peer) => peer.close()),
  };
}

async function sessionRate(client: OpenEnvClient, actions: number): Promise<number> {
  let { done } = await client.reset({ seed: 1 });
  const start = performance.now();
  for (let step = 0; step < SESSION_STEPS; step++) {
    if (done) await client.reset({ seed: 1 });
    ({ done } = await client.step({ action_id: (step * 7) % actions }));
  }
  return SESSION_STEPS / ((performance.now() - start) / 1000);
}

void main().then(() => process.exit());
