/*
 * Does a model learn Breakout? Trains with the rewards and the settings of
 * notebooks/atari.ipynb, as its cells have them, once per training seed, and
 * plays 64 strategies sampled from the trained model (none is picked) from 20
 * starts that training never sees. Beside it: the untrained model, chance,
 * every constant action, and following the ball by hand.
 *
 *   npm run bench -- breakout [NOTEBOOK.ipynb] [SEED …] [--backend trl] [--processes 2] [--settings JSON]
 *
 * By default the seeds 1 2 3, in this process, with the notebook's settings; `--settings '{ "targetKl": 0.05 }'`
 * replaces some of them. Two processes share a batch.
 *
 * A seed that is done is not trained again: results are kept in
 * node_modules/.cache, by the text of the cells, the checkpoint and the options.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as joylab from '../../kernel';
import { textTable } from '../../kernel/display/table';
import type { Episode, GRPOConfig, RewardFunction } from '../../kernel';
import { packageRoot } from '../../kernel/common/packagePaths';
import { typescript } from '../../kernel/strategy/compile';

const checkpoint = join(packageRoot, 'kernel/models/strategist/checkpoint/model.safetensors');
const heldOut = Array.from({ length: 20 }, (_, i) => 1_000_001 + i);
const sampledStrategies = 64;
const maxSteps = 1000;

type Model = joylab.CausalLM;
type Environment = joylab.AtariEnvironment;

/** A row of the table. */
interface Result {
  name: string;
  /** Mean score over all strategies and starts. */
  score: number;
  /** Lowest and highest mean over the starts of a strategy. */
  low?: number;
  high?: number;
  /** Share of the strategies that never returned more than one action. */
  constant?: number;
  /** Seconds of training. */
  seconds?: number;
}

/** Returns the sources of the notebook's cells that decide how it trains, the first time. */
function trainingCells(path: string): string[] {
  const notebook = JSON.parse(readFileSync(path, 'utf8'));
  const cells: Array<{ tags: string[]; source: string }> = notebook.cells
    .filter((cell: any) => cell.cell_type === 'code')
    .map((cell: any) => ({ tags: cell.metadata.tags ?? [], source: [cell.source].flat().join('') }));
  return cells
    .slice(0, cells.findIndex(({ source }) => source.includes('@grpo')) + 1)
    .filter(({ tags, source }) => tags.includes('parameters') || /@reward|@grpo|getPeftModel\(/.test(source))
    .map(({ source }) => source);
}

/** Runs cells on a model, as the kernel does. */
function runCells(cells: string[], model: Model): { model: Model; config: GRPOConfig; rewards: RewardFunction[] } {
  const source = cells.join('\n');
  const names = cells
    .filter((cell) => cell.includes('@reward'))
    .flatMap((cell) => [...cell.matchAll(/^(?:async )?function (\w+)/gm)].map((m) => m[1]));
  const { transpileModule, ScriptTarget, ModuleKind } = typescript();
  const javascript = transpileModule(source, {
    compilerOptions: { target: ScriptTarget.ES2022, module: ModuleKind.CommonJS },
  }).outputText;
  const globals = { ...joylab, model, exports: {} };
  const body = `${javascript}\nreturn { model, config, rewards: [${names.join(', ')}] };`;
  return new Function(...Object.keys(globals), body)(...Object.values(globals));
}

/** What differs from the notebook. */
interface Way {
  backend: 'onnx' | 'trl' | 'unsloth';
  processes: number;
  /** Those that replace the notebook's. */
  settings: GRPOConfig;
}

async function loadModel({ backend, processes }: Way): Promise<Model> {
  const launch = processes > 1 ? { numProcesses: processes } : undefined;
  const options = { modelName: 'joylab/strategist', maxSeqLength: 512, backend, ...(launch && { launch }) };
  return (await joylab.FastLanguageModel.fromPretrained(options)).model;
}

function named({ backend, processes, settings }: Way): string {
  const set = Object.entries(settings).map(([name, value]) => `, ${name} ${JSON.stringify(value)}`);
  return `${backend}${processes > 1 ? `, ${processes} processes` : ''}${set.join('')}`;
}

/** Plays every strategy from every held-out start. */
async function play(env: Environment, name: string, codes: Array<string | null>): Promise<Result> {
  const { episodes } = await joylab.rollout(
    env,
    codes.flatMap((code) => heldOut.map(() => code)),
    {
      seeds: codes.flatMap(() => heldOut),
      maxSteps,
    },
  );
  const perStrategy = codes.map((_, c) => episodes.slice(c * heldOut.length, (c + 1) * heldOut.length));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scores = perStrategy.map((played) => mean(played.map((episode) => episode?.return ?? 0)));
  const actions = (played: Array<Episode | null>) => new Set(played.flatMap((episode) => episode?.actions ?? []));
  const constant = perStrategy.filter((played) => actions(played).size <= 1).length / codes.length;
  return { name, score: mean(scores), low: Math.min(...scores), high: Math.max(...scores), constant };
}

async function sample(env: Environment, model: Model): Promise<Array<string | null>> {
  const { tokenizer } = model;
  const messages = [{ role: 'user', content: joylab.strategyPrompt(env) }];
  const inputIds = tokenizer.applyChatTemplate(messages, { tokenize: true, addGenerationPrompt: true });
  const output = await model.generate({
    inputIds,
    numReturnSequences: sampledStrategies,
    maxNewTokens: 128,
    temperature: 1,
    seed: 20_000,
  });
  return output.sequences.map((ids) => {
    const code = joylab.extractFunction(tokenizer.decode(ids, { skipSpecialTokens: true }));
    return code !== null && joylab.checkCode(code).length === 0 ? code : null;
  });
}

async function train(env: Environment, cells: string[], seed: number, way: Way): Promise<Result> {
  const { model, config, rewards } = runCells(cells, await loadModel(way));
  const trainer = new joylab.GRPOTrainer({
    model,
    processingClass: model.tokenizer,
    env,
    rewardFuncs: rewards,
    args: { ...config, ...way.settings, seed },
  });
  const started = Date.now();
  await trainer.train();
  const seconds = (Date.now() - started) / 1000;
  const codes = await sample(env, model);
  printCurve(trainer.logHistory);
  await trainer.dispose();
  await model.dispose();
  console.log(`seed ${seed}, the strategy sampled most often:\n${mostFrequent(codes)}`);
  return { ...(await play(env, `trained by ${named(way)}, seed ${seed}`, codes)), seconds };
}

/** The means of every ten steps. */
function printCurve(log: ReadonlyArray<Record<string, number>>): void {
  const means = (name: string) =>
    Array.from({ length: Math.ceil(log.length / 10) }, (_, i) => {
      const values = log.slice(10 * i, 10 * i + 10).flatMap((entry) => entry[name] ?? []);
      return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
    }).join(' ');
  for (const name of ['reward', 'entropy', 'grad_norm', 'step_time'])
    console.log(`${name}, every ten steps: ${means(name)}`);
}

function mostFrequent(codes: Array<string | null>): string | null {
  const counts = new Map<string | null, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0][0];
}

/** Plays the strategies that need no training. */
async function references(env: Environment, way: Way): Promise<Result[]> {
  const actions = JSON.stringify(env.actions);
  const chance = `function strategy(state) { const actions = ${actions}; return actions[Math.floor(Math.random() * actions.length)]; }`;
  const follow = `function strategy(state) {
    if (state.paddle_x > state.ball_x + 6) return "LEFT";
    if (state.paddle_x < state.ball_x - 6) return "RIGHT";
    return "NOOP";
  }`;
  const untrained = await loadModel({ ...way, processes: 1 });
  const codes = await sample(env, untrained);
  await untrained.dispose();
  const results = [await play(env, 'untrained', codes), await play(env, 'random', [chance])];
  for (const action of env.actions)
    results.push(await play(env, `always ${action}`, [`function strategy(state) { return "${action}"; }`]));
  results.push(await play(env, 'follow the ball, by hand', [follow]));
  return results;
}

/** Results of earlier runs with the same cells and checkpoint. */
class Cache {
  private readonly path: string;
  private readonly results: Record<string, Result[]>;

  constructor(cells: string[]) {
    const hash = createHash('sha256')
      .update(cells.join('\n'))
      .update(readFileSync(checkpoint))
      .digest('hex')
      .slice(0, 16);
    const folder = join(packageRoot, 'node_modules', '.cache', 'joylab-bench');
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, `breakout-${hash}.json`);
    this.results = existsSync(this.path) ? JSON.parse(readFileSync(this.path, 'utf8')) : {};
  }

  async get(name: string, compute: () => Promise<Result[]>): Promise<Result[]> {
    if (!this.results[name]) {
      this.results[name] = await compute();
      writeFileSync(this.path, JSON.stringify(this.results));
    }
    return this.results[name];
  }
}

function print(results: Result[]): void {
  const number = (value: number | undefined, digits: number) => (value === undefined ? '' : value.toFixed(digits));
  const columns = [
    { title: 'Breakout', align: 'left' as const },
    { title: 'mean score' },
    { title: 'worst' },
    { title: 'best' },
    { title: 'constant' },
    { title: 'training' },
  ];
  const rows = results.map(({ name, score, low, high, constant, seconds }) => [
    name,
    number(score, 1),
    number(low, 1),
    number(high, 1),
    constant === undefined ? '' : `${(100 * constant).toFixed(0)} %`,
    seconds === undefined ? '' : `${Math.round(seconds)} s`,
  ]);
  console.log(
    `\nSticky actions 0.25, auto-fire, at most ${maxSteps} steps, ${heldOut.length} held-out starts, ${sampledStrategies} sampled strategies\n`,
  );
  console.log(textTable(columns, rows));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'onnx' },
      processes: { type: 'string', default: '1' },
      settings: { type: 'string', default: '{}' },
    },
  });
  const way: Way = {
    backend: values.backend as Way['backend'],
    processes: Number(values.processes),
    settings: JSON.parse(values.settings),
  };
  const notebook = positionals.find((arg) => arg.endsWith('.ipynb'));
  const cells = trainingCells(notebook ?? join(packageRoot, 'notebooks', 'atari.ipynb'));
  const seeds = positionals.map(Number).filter(Number.isInteger);
  const cache = new Cache(cells);
  const env = (await joylab.openenv('atari', { game: 'breakout' })) as Environment;
  const results: Result[] = [];
  for (const seed of seeds.length > 0 ? seeds : [1, 2, 3])
    results.push(
      ...(await cache.get(`seed ${seed} by ${named(way)}`, async () => [await train(env, cells, seed, way)])),
    );
  results.push(...(await cache.get(`references by ${way.backend}`, () => references(env, way))));
  print(results);
  await env.close();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
