/**
 * How fast strategies are played: `npm run bench -- rollout [game]`.
 *
 * 32 strategies of up to 1,000 steps, against the same games stepped with the
 * same actions in as many Python processes with nothing around them.
 */
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { openenv } from '../../kernel/environments';
import { rollout, type Episode } from '../../kernel/rollout';
import { packageRoot, pythonPath } from '../../kernel/setup/python';

const STRATEGIES = 32;
const REPEATS = 3;

async function main(): Promise<void> {
  const game = (process.argv[2] ?? 'breakout') as 'breakout';
  const env = await openenv('atari', { game });
  const codes = Array.from({ length: STRATEGIES }, (_, i) => strategyFor(env, i));
  const seeds = codes.map((_, i) => i);
  await rollout(env, codes, { seeds, maxSteps: 10 });

  const workers = (await env.vectorLanes()).length;
  let best = Infinity;
  let alone = Infinity;
  let episodes: Episode[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now();
    episodes = (await rollout(env, codes, { seeds })).episodes as Episode[];
    best = Math.min(best, (performance.now() - start) / 1000);
    alone = Math.min(alone, await emulatorAlone(episodes, workers));
  }
  const steps = episodes.reduce((sum, episode) => sum + episode.steps, 0);
  console.log(`${game}: ${STRATEGIES} strategies, ${steps} steps, ${workers} processes; best of ${REPEATS}`);
  console.log(`rollout         ${best.toFixed(2)} s   ${Math.round(steps / best)} steps/s`);
  console.log(`emulator alone  ${alone.toFixed(2)} s   ${Math.round(steps / alone)} steps/s`);
  console.log(`overhead        ${((best / alone - 1) * 100).toFixed(0)} %`);
  await env.close();
}

/** Different programs of a usual size: no two are played as one. */
function strategyFor(env: { actions: string[]; stateVariables: { name: string }[] }, i: number): string {
  const [a, b, c] = [0, 1, 2].map((k) => env.stateVariables[(i + k) % env.stateVariables.length].name);
  const action = (k: number): string => env.actions[(i + k) % env.actions.length];
  return `function strategy(state) {
  const offset = ${i};
  if (state.${a} > state.${b} + offset) return "${action(0)}";
  if (Math.abs(state.${c} - 80) < offset) return "${action(1)}";
  return "${action(2)}";
}`;
}

/** Seconds that the emulator takes for the same episodes: the slowest of `processes` processes. */
async function emulatorAlone(episodes: Episode[], processes: number): Promise<number> {
  // As even as they come: the longest episode to the process with the least.
  const shares = Array.from({ length: processes }, () => ({ steps: 0, episodes: [] as Episode[] }));
  for (const episode of [...episodes].sort((a, b) => b.steps - a.steps)) {
    const share = shares.reduce((least, other) => (other.steps < least.steps ? other : least));
    share.steps += episode.steps;
    share.episodes.push(episode);
  }
  const times = await Promise.all(shares.map(({ episodes }) => stepInPython(episodes)));
  return Math.max(...times);
}

const PYTHON = `
import json, sys, time
from server.game import AtariGame
from server.options import options_from_json
episodes = json.load(sys.stdin)
game = AtariGame(options_from_json(json.dumps(episodes[0]["options"])))
start = time.perf_counter()
for episode in episodes:
    game.reset(episode["seed"])
    for action in episode["actions"]:
        game.step(action)
print(time.perf_counter() - start)
`;

async function stepInPython(episodes: Episode[]): Promise<number> {
  const cwd = path.join(packageRoot, 'kernel', 'environments', 'atari');
  const child = spawn(pythonPath(), ['-c', PYTHON], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
  const plain = episodes.map(({ seed, actions, options }) => ({
    seed, actions,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined).map(([name, value]) => [snake(name), value])),
  }));
  child.stdin.end(JSON.stringify(plain));
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  return Number(text);
}

void main();
