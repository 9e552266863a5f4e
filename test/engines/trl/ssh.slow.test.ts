import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot, pythonPath } from '../../../kernel/common/packagePaths';
import { sshAddress } from '../../../kernel/common/sshAddress';
import type { ModelInWorker } from '../../../kernel/engines/trl/model';
import { FastLanguageModel, type CausalLM, type FromPretrainedOptions } from '../../../kernel/models';
import { eventually } from '../../eventually';
import { dataset, newTrainer, quietHost, temporaryFolder } from '../../grpo/fixtures';
import { sshd, startSshServer, type SshServer } from './sshServer';

// A worker on another machine, which is this one, reached through OpenSSH.

const skip = sshd === null && 'there is no sshd: install openssh-server';
const folder = temporaryFolder();
const args = { maxSteps: 2, maxCompletionLength: 12 };
const prompts = dataset.slice(0, 1);
let server: SshServer;
let there: CausalLM;
/** Of a worker here. */
let log: Array<Record<string, number>>;

before(async () => {
  quietHost();
  process.env.OMP_NUM_THREADS = '1';
  process.env.JOYLAB_GPU_PYTHON = pythonPath();
  if (!skip) server = await startSshServer(join(folder, 'ssh'));
});
after(async () => {
  await there?.dispose();
  await server?.stop();
});

const load = async (backend: string, modelName = 'joylab/strategist'): Promise<CausalLM> => {
  const options = { modelName, maxSeqLength: 128, backend } as FromPretrainedOptions;
  return (await FastLanguageModel.fromPretrained(options)).model;
};
const fresh = (base: CausalLM) =>
  FastLanguageModel.getPeftModel(base, { r: 4, loraAlpha: 8, initLoraWeights: false }) as ModelInWorker;
const withoutTimes = (log: ReadonlyArray<Record<string, number>>) => log.map(({ step_time, ...entry }) => entry);
const isAlive = (pid: number) => existsSync(`/proc/${pid}`);
/** What workers keep on the machine where they run, but for others that run beside. */
const isOurs = (name: string) => /^joylab-([0-9a-f]{32}\.sock|remote-)/.test(name);
const earlier = readdirSync('/tmp').filter(isOurs);
const left = () => readdirSync('/tmp').filter((name) => isOurs(name) && !earlier.includes(name));
/** Processes of this machine whose command line matches, by id. */
const processes = (pattern: RegExp): number[] =>
  spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => Number.parseInt(line, 10));

test('an address names user, host, port, Python and trainer, and nothing that ssh or a shell could read as more', () => {
  const simple = { host: 'gpu', user: null, port: null, python: 'python3', backend: 'trl' };
  assert.deepEqual(sshAddress('ssh://gpu'), simple);
  assert.deepEqual(sshAddress('ssh://me@gpu.example.org:2222/opt/env/bin/python?backend=unsloth'), {
    host: 'gpu.example.org',
    user: 'me',
    port: 2222,
    python: '/opt/env/bin/python',
    backend: 'unsloth',
  });
  assert.equal(sshAddress('ssh://gpu/~/env/bin/python')?.python, '~/env/bin/python');
  for (const wrong of [
    'ssh://',
    'ssh://me:secret@gpu',
    'ssh://-oProxyCommand=touch',
    'ssh://-l@gpu',
    'ssh://gpu/bin/python;rm',
    'ssh://gpu/$(id)',
    'ssh://gpu?backend=onnx',
    'ssh://gpu?port=1',
    'http://gpu',
  ])
    assert.equal(sshAddress(wrong), null, wrong);
});

test('it trains through ssh with the numbers of a worker here; checkpoints and adapters come back; no command line has the token', {
  skip,
}, async () => {
  const here = await load('trl');
  const local = newTrainer(fresh(here), args, { trainDataset: prompts });
  await local.train();
  log = withoutTimes(local.logHistory);
  await local.dispose();
  await here.dispose();

  there = await load(server.address(pythonPath()));
  const model = fresh(there);
  const outputDir = join(folder, 'runs');
  const trainer = newTrainer(model, { ...args, outputDir, saveSteps: 1 }, { trainDataset: prompts });
  await trainer.train();
  assert.deepEqual(withoutTimes(trainer.logHistory), log);
  const names = readdirSync(join(outputDir, 'checkpoint-1'));
  for (const name of ['adapter_model.safetensors', 'optimizer.pt', 'run_state.json'])
    assert.ok(names.includes(name), name);
  const [, token] = /JOYLAB_WORKER_TOKEN=([0-9a-f]{64})/.exec(
    readFileSync(`/proc/${model.held.pid}/environ`, 'latin1'),
  )!;
  assert.equal(processes(/joylab-remote-.*start_worker\.py/).length > 0, true);
  assert.deepEqual(processes(new RegExp(token)), []);

  const saved = join(folder, 'adapter');
  await model.savePretrained(saved);
  const ids = [model.tokenizer.encode('function strategy')];
  const [expected] = await model.logits(ids);
  const [logits] = await (await load('onnx', saved)).logits(ids);
  logits.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-3));

  await trainer.dispose();
  await there.dispose();
  await eventually(() => left().length === 0, 'nothing is left there');
});

test('where ssh is killed the worker ends, and what is lost is said', { skip }, async () => {
  const model = fresh(there);
  let kill = true;
  const trainer = newTrainer(
    model,
    { ...args, outputDir: join(folder, 'killed'), saveSteps: 1 },
    {
      trainDataset: prompts,
      callbacks: [
        {
          onStepBegin: ({ state }) => {
            if (state.globalStep !== 1 || !kill) return;
            kill = false;
            const [client] = processes(new RegExp(`^ *\\d+ \\S*ssh -F ${folder}`));
            process.kill(client, 'SIGKILL');
          },
        },
      ],
    },
  );
  const failed = trainer.train();
  failed.catch(() => undefined);
  await assert.rejects(failed, (error: Error) => {
    assert.match(error.message, /^The connection to 127\.0\.0\.1 ended, and the worker there with it\./);
    assert.match(
      error.message,
      /No step is lost\. Run the training again, and it goes on after step 1, from .*checkpoint-1\.$/,
    );
    return true;
  });
  const pid = model.held.pid!;
  await eventually(() => !isAlive(pid), 'the worker has ended');
  await eventually(() => left().length === 0, 'nothing is left there');
  await trainer.train();
  assert.deepEqual(withoutTimes(trainer.logHistory), log, 'it goes on from the files of this machine');
  await trainer.dispose();
  await there.dispose();
});

test('a model of that machine is loaded there; its tokenizer comes here', { skip }, async () => {
  // Not to be found from here by the name that it is given.
  const model = join(folder, 'model');
  mkdirSync(model);
  symlinkSync(join(packageRoot, 'kernel/models/strategist/checkpoint'), join(model, 'there'));
  const home = spawnSync('sh', ['-c', 'cd && pwd'], { encoding: 'utf8' }).stdout.trim();
  const fromHome = `~/${'../'.repeat(home.split('/').length - 1)}${join(model, 'there').slice(1)}`;
  const found = await load(server.address(pythonPath()), fromHome);
  assert.equal(
    (await found.generate({ inputIds: found.tokenizer.encode('function'), maxNewTokens: 3, doSample: false })).sequences
      .length,
    1,
  );
  assert.ok(!existsSync(join(found.folder, 'model.safetensors')));
  await found.dispose();
  await assert.rejects(
    load(server.address(pythonPath()), '/nowhere/model'),
    /there is no folder \/nowhere\/model on that machine, nor on the kernel's/,
  );
});

test('what is wrong there is one sentence', { skip }, async () => {
  const bare = join(folder, 'bare');
  writeFileSync(
    bare,
    `#!/bin/sh\nexec ${JSON.stringify(spawnSync('sh', ['-c', 'command -v python3'], { encoding: 'utf8' }).stdout.trim())} -S "$@"\n`,
    { mode: 0o755 },
  );
  const rejects = (backend: string, message: RegExp) => assert.rejects(load(backend), message);
  await rejects(
    server.address('/nowhere/python'),
    /^Error: There is no Python at \/nowhere\/python on 127\.0\.0\.1: name one/,
  );
  await rejects(
    server.address(bare),
    /^Error: Python 3\.\S+ at \S+ lacks .*trl on 127\.0\.0\.1: name a Python that has it/,
  );
  await rejects('ssh://nobody@host.invalid', /^Error: ssh does not know the host host\.invalid: check its name/);
  server.useKey('nothing');
  await rejects(
    server.address(pythonPath()),
    /^Error: 127\.0\.0\.1 refuses this machine's keys, and ssh asks for no password here: let `ssh -p \d+ \S+` work/,
  );
  server.useKey('known');
  assert.ok(readFileSync(join(folder, 'ssh', 'known_hosts'), 'utf8').length > 0);
  writeFileSync(join(folder, 'ssh', 'known_hosts'), '');
  await rejects(
    server.address(pythonPath()),
    /^Error: The host key of 127\.0\.0\.1 is not the one that is known, or none is: run/,
  );
  await eventually(() => left().length === 0, 'nothing is left there');
});
