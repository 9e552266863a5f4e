import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encode, type Message } from '../../kernel/jupyter/message';
import { text, TestKernel } from '../jupyter/client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(
    "import * as fs from 'node:fs'; import * as readline from 'node:readline'; import { createInterface } from 'node:readline/promises'; import { stdin as input, stdout as output } from 'node:process'; import { execSync, spawn } from 'node:child_process'",
  );
});
after(() => kernel.stop());

const ask = (code: string) => kernel.send('shell', 'execute_request', { code, allow_stdin: true });
const asked = (id: string) =>
  kernel.replies.filter((it) => it.parentHeader.msg_id === id && it.header.msg_type === 'input_request');

/** Waits for the `n`-th question of a cell. */
async function question(id: string, n = 0): Promise<Message> {
  await kernel.until(() => asked(id).length > n, `question ${n + 1}`);
  return asked(id)[n];
}

const reply = (value: string) => kernel.send('stdin', 'input_reply', { status: 'ok', value });

/** Runs a cell, with what is typed; returns the prompts, what it printed and the text of its result. */
async function converse(code: string, ...answers: string[]): Promise<[prompts: string[], output: string]> {
  const id = ask(code);
  for (const [n, value] of answers.entries()) {
    await question(id, n);
    reply(value);
  }
  const { reply: end, outputs } = await kernel.finish(id);
  assert.equal(end.content.status, 'ok', JSON.stringify(end.content));
  return [asked(id).map(({ content }) => content.prompt), text(outputs)];
}

const LABEL = 'stdin (^D ends it): ';

/** Code that reads standard input, what is typed, the prompts, and what comes of it. */
const READING: Array<[code: string, typed: string[], prompts: string[], output: string]> = [
  [
    "const rl = createInterface({ input, output }); const name = await rl.question('name? '); rl.close(); name",
    ['Zoë 😀'],
    ['name? '],
    "'Zoë 😀'",
  ],
  [
    "const rl = createInterface({ input, output }); const two = [await rl.question('a? '), await rl.question('b? ')]; rl.close(); two",
    ['1', ''],
    ['a? ', 'b? '],
    "[ '1', '' ]",
  ],
  [
    "const old = readline.createInterface({ input: process.stdin, output: process.stdout }); old.question('c? ', (it) => { console.log('got', it); old.close(); }); undefined",
    ['cb'],
    ['c? '],
    'got cb\n',
  ],
  // An interface that stays open asks for no more than its questions.
  ["const open = createInterface({ input, output }); await open.question('d? ')", ['x'], ['d? '], "'x'"],
  ["await open.question('e? ')", ['y'], ['e? '], "'y'"],
  [
    'open.close(); const lines: string[] = []; for await (const line of createInterface({ input })) { lines.push(line); if (lines.length === 2) break; } lines',
    ['l1', 'l2'],
    [LABEL, LABEL],
    "[ 'l1', 'l2' ]",
  ],
  [
    "const loop = readline.createInterface({ input, prompt: '> ' }); loop.on('line', (it) => (it === 'quit' ? loop.close() : loop.prompt())); loop.prompt(); undefined",
    ['a', 'quit'],
    ['> ', '> '],
    '',
  ],
  [
    "let all = ''; for await (const chunk of process.stdin) all += chunk; all",
    ['c1', 'c2', '^D'],
    [LABEL, LABEL, LABEL],
    "'c1\\nc2\\n'",
  ],
  ["process.stdin.once('data', (it) => console.log(String(it))); undefined", ['once'], [LABEL], 'once\n\n'],
  [
    "await new Promise<string>((resolve) => process.stdin.setEncoding('utf8').once('readable', () => resolve(process.stdin.read())))",
    ['r'],
    [LABEL],
    "'r\\n'",
  ],
  [
    "process.stdin.setRawMode(true); const key = await new Promise((resolve) => process.stdin.once('data', resolve)); process.stdin.pause(); String(key)",
    ['k'],
    [LABEL],
    "'k\\n'",
  ],
  [
    "[fs.readFileSync(0, 'utf8'), String(fs.readFileSync('/dev/stdin')), await fs.promises.readFile('/dev/stdin', 'utf8')]",
    ['f', 'g', '\x04'],
    ['stdin: ', 'stdin: ', 'stdin: '],
    "[ 'f\\n', 'g\\n', '' ]",
  ],
  [
    "const bytes = Buffer.alloc(4); const fd = fs.openSync('/dev/stdin', 'r'); const part = () => String(bytes.subarray(0, fs.readSync(fd, bytes))); const parts = [part(), part()]; fs.closeSync(fd); parts",
    ['abcdef'],
    ['stdin: '],
    "[ 'abcd', 'ef\\n' ]",
  ],
  [
    "const cat = spawn('cat', { stdio: 'inherit' }); const code = await new Promise((resolve) => cat.on('exit', resolve)); [code, String(execSync('read x; echo \"[$x]\"', { stdio: ['inherit', 'pipe', 'inherit'] }))]",
    [],
    [],
    "[ 0, '[]\\n' ]",
  ],
];

test('code that reads standard input asks the front end', async () => {
  for (const [code, typed, prompts, output] of READING)
    assert.deepEqual(await converse(code, ...typed), [prompts, output], code);
});

/** The same where nobody can be asked. */
const ALONE = [
  "await createInterface({ input, output }).question('name? ')",
  "readline.createInterface({ input, output }).question('name? ', () => {});",
  "await new Promise((resolve) => readline.createInterface({ input }).on('line', resolve))",
  'for await (const line of createInterface({ input })) console.log(line);',
  'for await (const chunk of process.stdin) console.log(chunk);',
  "await new Promise((resolve) => process.stdin.on('data', resolve))",
  "process.stdin.on('data', () => {}); undefined",
  'fs.readFileSync(0)',
  "await new Promise((resolve, reject) => fs.readFile('/dev/stdin', (error) => (error ? reject(error) : resolve(1))))",
];

test('where the front end cannot ask, it is an error at once', async () => {
  for (const code of ALONE)
    assert.match(
      await kernel.fail(code),
      /^StdinNotImplementedError: This front end cannot ask for input \(allow_stdin is false\)\. Assign the value in the cell instead\./,
      code,
    );
  assert.equal(await kernel.run('6 * 7'), '42');
});

test('a question can be interrupted, and its late answer is nobody’s', async () => {
  await kernel.run('const kept = createInterface({ input, output }); undefined');
  const first = ask("await kept.question('first? ')");
  const old = await question(first);
  await kernel.request('control', 'interrupt_request');
  assert.equal((await kernel.finish(first)).reply.content.ename, 'KeyboardInterrupt');
  reply('too late');
  const second = ask("await kept.question('second? ')");
  await question(second);
  // JupyterLab says which question it answers, and goes on showing the first.
  await kernel.stdin.send(
    encode(
      { type: 'input_reply', content: '{"status":"ok","value":"too late, too"}', parent: old.header as never },
      [],
      kernel.signer,
    ),
  );
  reply('in time');
  assert.equal(text((await kernel.finish(second)).outputs), "'in time'");
  assert.deepEqual(await converse('kept.close(); 1'), [[], '1']);
});

test('the end of the input instead of an answer is an error', async () => {
  const id = ask("await createInterface({ input, output }).question('end? ')");
  await question(id);
  reply('^D');
  const { content } = (await kernel.finish(id)).reply;
  assert.equal(
    `${content.ename}: ${content.evalue}`,
    'EndOfInput: The input was ended (^D) before the question was answered.',
  );
  assert.deepEqual(await converse("await createInterface({ input, output }).question('again? ')", 'yes'), [
    ['again? '],
    "'yes'",
  ]);
});

test('a question that is taken back, or that comes after its cell', async () => {
  const id = ask(
    "await createInterface({ input, output }).question('soon? ', { signal: AbortSignal.timeout(50) }).catch((error) => error.name)",
  );
  assert.equal(text((await kernel.finish(id)).outputs), "'AbortError'");
  const { reply: end } = await kernel.execute(
    "setTimeout(() => createInterface({ input, output }).question('late? '), 30); undefined",
    { allow_stdin: true },
  );
  await kernel.published(
    (it) =>
      it.parentHeader.msg_id === end.parentHeader.msg_id &&
      /ask only while the cell runs/.test(String(it.content.text)),
    'the error',
  );
});

test('standard input of code that has its own is left alone', async () => {
  assert.equal(
    await kernel.run(
      "import { PassThrough } from 'node:stream'; const own = new PassThrough(); const rl9 = createInterface({ input: own }); const got = rl9.question('q? '); own.write('typed\\n'); await got",
    ),
    "'typed'",
  );
});

test('an answer of more than 1 MiB is an error that says so, and the next is read', async () => {
  const id = ask("prompt('long?')");
  await question(id);
  reply('é'.repeat(600_000));
  const { reply: end } = await kernel.finish(id);
  assert.match(end.content.evalue, /The answer has 1200000 bytes; an input takes 1048576 at most/);
  assert.deepEqual(await converse("prompt('short?')!.length", 'abc'), [['short? '], '3']);
});
