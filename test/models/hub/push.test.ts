import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { cellContext, setCellContext, type MimeBundle } from '../../../kernel/display/cellContext';
import { FastLanguageModel, type CausalLM, type PeftModel } from '../../../kernel/models';
import { HubServer } from './hubServer';

const folder = mkdtempSync(join(tmpdir(), 'joylab-push-test-'));
const server = new HubServer(join(folder, 'hub'));
const uploads = server.uploads!;
const temporary = join(folder, 'temporary');
mkdirSync(temporary);
const ids = [[1, 5, 9, 33, 70]];
let endpoint = '';
let model: CausalLM;
let peft: PeftModel;
before(async () => {
  endpoint = await server.start();
  model = (await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist' })).model;
  peft = FastLanguageModel.getPeftModel(model, { r: 4, targetModules: ['q_proj'], initLoraWeights: false });
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const environment = { ...process.env };
beforeEach(() => {
  process.env.HF_ENDPOINT = endpoint;
  process.env.HF_HOME = mkdtempSync(join(folder, 'home-'));
  process.env.HF_TOKEN = 'hf_writer';
  process.env.TMPDIR = temporary;
  for (const name of ['HF_HUB_OFFLINE', 'HF_HUB_CACHE', 'HF_TOKEN_PATH', 'HUGGING_FACE_HUB_TOKEN'])
    delete process.env[name];
});
afterEach(() => {
  process.env = { ...environment };
  uploads.refusals.clear();
  uploads.asked.length = 0;
});

const leftovers = () => readdirSync(temporary);

test('an adapter is pushed into a private repository, and loads from there as it was', async () => {
  assert.equal(await peft.pushToHub('joy/adapter'), `${endpoint}/joy/adapter`);
  const { private: isPrivate, commits } = uploads.repositories.get('joy/adapter')!;
  assert.deepEqual([isPrivate, commits], [true, ['Upload model']]);
  assert.match(uploads.read('joy/adapter', 'README.md'), /^---\nlibrary_name: peft\nbase_model: joylab\/strategist\n/);
  const { model: loaded } = await FastLanguageModel.fromPretrained({ modelName: 'joy/adapter' });
  assert.deepEqual(await loaded.logits(ids), await peft.logits(ids));
  process.env.HF_HOME = join(folder, 'nobody');
  process.env.HF_TOKEN = '';
  await assert.rejects(FastLanguageModel.fromPretrained({ modelName: 'joy/adapter' }), /joy\/adapter is gated/);
  assert.deepEqual(leftovers(), []);
});

test('a merged model is pushed with its tokenizer; a second push goes into the same repository', async () => {
  const url = await peft.pushToHubMerged('merged', { dtype: 'float32', commitMessage: 'The first' });
  assert.equal(url, `${endpoint}/joy/merged`, 'a name alone is one of the own account');
  const { model: loaded, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joy/merged' });
  const [logits] = await loaded.logits(ids);
  const [expected] = await peft.logits(ids);
  assert.ok(logits.every((value, i) => Math.abs(value - expected[i]) < 1e-4));
  assert.equal(tokenizer.chatTemplate, model.tokenizer.chatTemplate);

  uploads.asked.length = 0;
  await peft.pushToHubMerged('joy/merged', { dtype: 'float32', commitMessage: 'The second' });
  assert.deepEqual(uploads.repositories.get('joy/merged')!.commits, ['The first', 'The second']);
  assert.ok(!uploads.asked.some((path) => path.startsWith('/storage/')), 'weights that are there are not sent again');
});

test("saveMethod is Unsloth's", async () => {
  const [half, full] = [join(folder, 'half'), join(folder, 'full')];
  await model.savePretrainedMerged(half, { saveMethod: 'merged_16bit' });
  await model.savePretrainedMerged(full, {});
  const size = (place: string) => statSync(join(place, 'model.safetensors')).size;
  assert.ok(size(half) < 0.51 * size(full));
  const wrong = { saveMethod: 'merged_4bit' } as object;
  await assert.rejects(model.savePretrainedMerged(half, wrong), /saveMethod must be one of "merged_16bit", "mxfp4"/);
  await assert.rejects(
    model.savePretrainedMerged(half, { saveMethod: 'mxfp4' }),
    /'mxfp4' is for the experts of gpt-oss, and this model is of the family llama: save it with saveMethod: 'merged_16bit'/,
  );
});

test('public is what is asked for; a repository that is public wants to be asked for', async () => {
  await peft.pushToHub('joy/open', { private: false });
  assert.equal(uploads.repositories.get('joy/open')!.private, false);
  await assert.rejects(peft.pushToHub('joy/open'), /joy\/open is public: push to another name, or give private: false/);
  await peft.pushToHub('joy/open', { private: false });
  assert.equal(uploads.repositories.get('joy/open')!.commits.length, 2);
});

test('the token is that of the setting, of HF_TOKEN or of `hf auth login`; without one nothing is asked', async () => {
  process.env.HF_TOKEN = 'hf_wrong';
  await assert.rejects(peft.pushToHub('joy/token'), /does not know the token \(401\): make one that may write/);
  await peft.pushToHub('joy/token', { token: 'hf_writer' });
  delete process.env.HF_TOKEN;
  writeFileSync(join(process.env.HF_HOME!, 'token'), 'hf_writer\n');
  await peft.pushToHub('joy/token');
  process.env.HF_HOME = join(folder, 'nobody');
  uploads.asked.length = 0;
  await assert.rejects(peft.pushToHub('joy/token'), /uploading needs a token of .* set HF_TOKEN, run `hf auth login`/);
  await assert.rejects(peft.pushToHub('joy/token', { token: 'secret' }), (error: Error) => {
    assert.match(error.message, /the token is none of the hub: those begin with hf_/);
    return !error.message.includes('secret');
  });
  process.env.HF_HUB_OFFLINE = '1';
  await assert.rejects(peft.pushToHub('joy/token', { token: 'hf_writer' }), /HF_HUB_OFFLINE forbids to upload/);
  assert.deepEqual(uploads.asked, []);
});

test('what the hub refuses is a sentence with what to do, and never shows the token', async () => {
  const other = FastLanguageModel.getPeftModel(model, { r: 2, initLoraWeights: false });
  const refused = async (part: string, status: number, error: string): Promise<string> => {
    uploads.refusals.clear();
    uploads.refusals.set(part, { status, error });
    const thrown = await other.pushToHub('joy/refused').then(
      () => assert.fail('it was not refused'),
      (reason: Error) => reason.message,
    );
    assert.ok(!thrown.includes('hf_writer'), thrown);
    assert.ok(!thrown.includes('\n'), thrown);
    return thrown;
  };
  assert.match(
    await refused('/api/repos/create', 403, 'hf_writer has no rights for the namespace "joy"'),
    /the token may not write to joy\/refused \(403: hf_… has no rights .*\): use one with the role "write"/,
  );
  assert.ok(!uploads.repositories.has('joy/refused'));
  assert.match(await refused('/preupload/', 500, 'oh'), /answered 500: oh; try again later, what is uploaded is kept/);
  assert.match(
    await refused('/lfs/objects/batch', 403, 'Private repository storage limit reached'),
    /has no room for joy\/refused \(403: Private .*\): free some in the settings of the account, or push a smaller/,
  );
  assert.match(await refused('/storage/', 507, 'full'), /has no room for joy\/refused \(507/);
  assert.match(await refused('/commit/', 412, 'A commit has happened since'), /was changed by someone else meanwhile/);
  assert.match(await refused('/commit/', 409, 'conflict'), /was changed by someone else meanwhile .*: push again/);
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  await assert.rejects(peft.pushToHub('joy/x'), /127\.0\.0\.1:9 cannot be reached .*check the network/);
  await assert.rejects(peft.pushToHub('a/b/c'), /"a\/b\/c" is no name of a model/);
  await assert.rejects(peft.pushToHub('joy/x', { privat: true } as object), /pushToHub has no option privat/);
  assert.deepEqual(leftovers(), []);
});

test('a token for one repository pushes to it, though it may make none', async () => {
  await peft.pushToHub('joy/mine');
  uploads.refusals.set('/api/repos/create', { status: 403, error: 'no rights' });
  await peft.pushToHub('joy/mine');
  assert.equal(uploads.repositories.get('joy/mine')!.commits.length, 2);
});

test('an adapter whose base lies on this machine alone says so', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const base = join(folder, 'local');
  await model.savePretrainedMerged(base);
  const local = (await FastLanguageModel.fromPretrained({ modelName: base })).model;
  await FastLanguageModel.getPeftModel(local, { r: 2 }).pushToHub('joy/local');
  assert.match(warn.mock.calls[0].arguments[0], /a folder of this machine, as its base.*pushToHubMerged/s);
  assert.doesNotMatch(uploads.read('joy/local', 'README.md'), /base_model/);
});

test('the notebook shows a bar; an interrupt ends the upload before there is a commit', async () => {
  const before = cellContext();
  const shown: MimeBundle[] = [];
  const interrupt = new AbortController();
  setCellContext({
    signal: interrupt.signal,
    registerCommTarget: () => {},
    display: (bundle) => {
      shown.push(bundle);
      interrupt.abort(new Error('interrupted by the user'));
    },
  });
  try {
    await assert.rejects(model.pushToHub('joy/interrupted'), /interrupted by the user/);
  } finally {
    setCellContext(before);
  }
  assert.match(String(shown[0]['text/html']), /<progress .*uploading joy\/interrupted: .* of [\d.]+ MB/);
  assert.match(String(shown.at(-1)!['text/plain']), /uploading joy\/interrupted: interrupted/);
  assert.deepEqual(uploads.repositories.get('joy/interrupted')!.commits, []);
  assert.ok(existsSync(uploads.repositories.get('joy/interrupted')!.folder));
  assert.deepEqual(leftovers(), []);
});
