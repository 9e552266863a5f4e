import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestKernel } from '../jupyter/client';
import { Network } from '../openenv/faultyServer';
import { startPythonServer, type Garden } from '../openenv/pythonServer';

// OpenEnv's own server, a served class and the environments that come with Joylab: their schemas type the notebook.
let garden: Garden;
/** Where the notebook finds the server, whichever it is. */
let network: Network;
let kernel: TestKernel;

before(async () => {
  garden = await startPythonServer();
  network = new Network(garden.port);
  await network.open();
  kernel = await TestKernel.start();
});
after(async () => {
  await kernel?.stop();
  await network?.close();
  await garden?.stop();
});

/** What can stand at the bar. */
async function complete(marked: string): Promise<string[]> {
  const { content } = await kernel.request('shell', 'complete_request', {
    code: marked.replace('|', ''),
    cursor_pos: marked.indexOf('|'),
  });
  return content.matches;
}

async function inspect(marked: string): Promise<string> {
  const { content } = await kernel.request('shell', 'inspect_request', {
    code: marked.replace('|', ''),
    cursor_pos: marked.indexOf('|'),
    detail_level: 0,
  });
  return content.found ? content.data['text/plain'] : '';
}

const opening = () =>
  `/** @openenv card=false */\nconst env = await openenv('${network.url}');\nconst { observation } = await env.reset({ seed: 1 });`;

test('before it ran, targets and options complete', async () => {
  const names = await complete("/** @openenv */\nconst env = await openenv('|')");
  for (const name of ['atari', 'game2048']) assert.ok(names.includes(name), name);
  assert.ok((await complete("/** @openenv */\nconst env = await openenv('atari', { | })")).includes('frameSkip'));
  assert.ok(
    (await complete("/** @openenv */\nconst env = await openenv('http://localhost:8000', { | })")).includes(
      'messageTimeout',
    ),
  );
});

test("after the cell ran, actions, observation and state complete, with the schema's descriptions", async () => {
  await kernel.run(opening());
  assert.deepEqual((await complete('await env.step({ | })')).sort(), ['litres', 'metadata', 'mode', 'place', 'tool']);
  assert.deepEqual((await complete("await env.step({ tool: '|' })")).sort(), ['spade', 'watering-can']);
  assert.deepEqual(await complete('await env.step({ tool: "spade", place: { r| } })'), ['row']);
  assert.deepEqual(await complete('(await env.step({ tool: "spade", place: { row: 1 } })).observation.pl|'), [
    'plants',
  ]);
  assert.ok((await complete('(await env.state()).|')).includes('day'));
  assert.match(
    await inspect('(await env.step({ tool: "spade", place: { row: 1 } })).observation.pla|nts'),
    /plants\?: Plant\[\]\n\nFrom left to right/,
  );
  assert.match(await inspect('(await env.state()).da|y'), /day: number\n\nDays since spring/);
  assert.match(
    await inspect('await env.step({ tool: "spade", place: { ro|w: 1 } })'),
    /row: number\n\nFrom the house, 0 to 3\n\n@integer\s*\n@minimum 0\n@maximum 3/,
  );
  assert.match(
    await inspect('en|v'),
    /const env: RemoteEnvironment<GardenAction, GardenObservation, GardenState>[^]*Grow plants with two tools\./,
  );
});

test('a variable that the first run took from the environment is typed, too', async () => {
  await kernel.run(opening());
  assert.deepEqual((await complete('observation.plants[0].|')).sort(), ['height', 'kind']);
});

test('a wrong field, value or type is a type error at its place, which names the right ones', async () => {
  const wrong = await kernel.fail('const a = 1;\nawait env.step({ tool: "spade", place: { row: 1 }, littres: 1 });');
  assert.match(
    wrong,
    /line 2, column 52: error TS\d+: [^]*'littres' does not exist in type 'GardenAction'\. Did you mean to write 'litres'\?/,
  );
  assert.match(wrong, /Valid: tool, place, litres, mode, metadata\./);
  assert.match(
    await kernel.fail('await env.step({ tool: "rake", place: { row: 1 } });'),
    /line 1, column 18: [^]*'"rake"' is not assignable to type 'Tool'\. Valid: "spade", "watering-can"\./,
  );
  assert.match(
    await kernel.fail('await env.step({ tool: "spade" });'),
    /'place' is missing in type '\{ tool: "spade"; \}' but required in type 'GardenAction'/,
  );
  assert.match(
    await kernel.fail('observation.plant'),
    /Property 'plant' does not exist on type 'GardenObservation'\. Did you mean 'plants'\?/,
  );
  assert.match(
    await kernel.fail('const job: env.Action = { tool: "spade", place: { row: "1" } };'),
    /Type 'string' is not assignable to type 'number'/,
  );
});

test('the cell itself is typed when it runs again', async () => {
  const error = await kernel.fail(`${opening()}\nawait env.step({ tool: 'spade', place: { rows: 1 } });`);
  assert.match(error, /line 4, column 42: error [^]*'rows' does not exist in type 'Place'/);
  assert.deepEqual((await complete(`${opening()}\nawait env.step({ tool: '|' });`)).sort(), ['spade', 'watering-can']);
});

test('values are checked before they are sent', async () => {
  await kernel.run('await env.reset();');
  assert.match(
    await kernel.fail('await env.step({ tool: "spade", place: { row: 4 } });'),
    /^OpenEnvError: The action does not fit its schema:\n {2}place\.row: Input should be less than or equal to 3 \(given: 4\)/,
  );
  assert.match(
    await kernel.fail('await (env as any).step({ tool: "rake", place: { row: 1 }, depth: 2 });'),
    /There is no field 'depth'\. Valid: tool, place, litres, mode\.\n {2}tool: Input should be 'spade' or 'watering-can' \(given: "rake"\)/,
  );
  assert.equal(await kernel.run('(await env.state()).step_count'), '0', 'nothing was sent');
  assert.equal(await kernel.run('(await env.step({ tool: "spade", place: { row: 3 }, litres: null })).reward'), '0.25');
});

test('without the directive, and by an address that the types do not know', async () => {
  await kernel.run(
    `import { openenv } from 'joylab';\nlet address = '${network.url}';\nconst other = await openenv(address);`,
  );
  assert.deepEqual((await complete("await other.step({ tool: '|' })")).sort(), ['spade', 'watering-can']);
  assert.match(
    await kernel.fail('await other.step({});'),
    /is missing the following properties from type 'GardenAction': tool, place/,
  );
});

test('a type that the user gave stays; a variable that is assigned again may hold another environment', async () => {
  await kernel.run(
    `import { openenv, RemoteEnvironment } from 'joylab';\nconst mine: RemoteEnvironment<{ mine: number }> = await openenv('${network.url}' as string);`,
  );
  assert.deepEqual(await complete('await mine.step({ | })'), ['mine']);
  await kernel.run(
    "let changing = await openenv(address);\nchanging = await openenv('http://127.0.0.1:1').catch(() => changing);",
  );
});

test('an environment of a class without types, by its JSON Schema', async () => {
  await kernel.run(`/** @openenv card=false */
class Loose extends Environment {
  static schema = { action: { title: 'LooseAction', type: 'object', properties: { speed: { enum: [1, 2], description: 'Miles' } }, required: ['speed'] } };
  reset() { return { observation: {} }; }
  step() { return { observation: {}, done: true }; }
}`);
  assert.ok((await complete('await loose.step({ sp| })')).includes('speed'));
  assert.match(await kernel.fail('await loose.step({ speed: 3 });'), /Type '3' is not assignable to type '1 \| 2'/);
});

test('environments that come with Joylab', async () => {
  await kernel.run("/** @openenv card=false */\nconst board = await openenv('game2048');");
  assert.ok((await complete('await board.step({ | })')).includes('action_id'));
  assert.match(
    await kernel.fail('await board.step({ action: 1 });'),
    /'action' does not exist in type 'Game2048Action'\.[^]*Valid: action_id\./,
  );
  await kernel.run("/** @openenv card=false */\nconst pong = await openenv('atari', { game: 'pong' });");
  assert.ok((await complete("await pong.step('|')")).includes('RIGHTFIRE'));
  assert.match(await kernel.fail("await pong.step('JUMP');"), /"JUMP"' is not assignable/);
  assert.ok((await complete("(await pong.step('NOOP')).observation.state.|")).includes('ball_x'));
  assert.match(await inspect("(await pong.step('NOOP')).observation.state.ball|_x"), /ball_x: number\n\n\S/);
  await kernel.run('await pong.close();');
});

test('a front end is told what is wrong with a cell that does not run', async () => {
  kernel.send('shell', 'comm_open', { comm_id: 'problems', target_name: 'joylab.diagnostics', data: {} });
  let count = 0;
  const ask = async (code: string) => {
    const id = ++count;
    kernel.send('shell', 'comm_msg', { comm_id: 'problems', data: { id, code } });
    const { content } = await kernel.published(
      (it) => it.header.msg_type === 'comm_msg' && it.content.comm_id === 'problems' && it.content.data.id === id,
      'problems',
    );
    return content.data.problems.map(({ start, end, message }: any) => [code.slice(start, end), message]);
  };
  assert.deepEqual(await ask('notYet(declared);\nconst x: number = 1;'), []);
  assert.deepEqual(await ask("/** @openenv */\nconst y: number = 'text';"), [
    ['y', "Type 'string' is not assignable to type 'number'."],
  ]);
  const [[place, message]] = await ask("await env.step({ tool: 'rake', place: { row: 1 } })");
  assert.equal(place, 'tool');
  assert.match(message, /'"rake"' is not assignable to type 'Tool'\. Valid: "spade", "watering-can"\./);
  assert.deepEqual(
    (await ask('const a = 1;\n/** @openenv crad=true */\nconst b = 2;')).map(([text]: string[]) => text),
    ['crad=true'],
  );
  assert.deepEqual(await ask('{ a: 1, b: missing.x.y }'), []);
  assert.match((await ask('const broken = (1 +'))[0][1], /expected/);
});

test('a server that was replaced: the cell that opens it gets its new types', async () => {
  await kernel.run(opening());
  await garden.stop();
  garden = await startPythonServer({ second: true });
  network.serverPort = garden.port;
  const { reply } = await kernel.execute(
    `${opening()}\nconst later = await env.step({ wait: 3 });\nlater.observation.plants[0].height`,
  );
  assert.equal(reply.content.status, 'ok', JSON.stringify(reply.content));
  assert.deepEqual(await complete('await env.step({ w| })'), ['wait']);
  assert.match(await kernel.fail("await env.step({ tool: 'spade' });"), /'tool' does not exist in type 'SecondAction'/);
});
