import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scored } from '../../../kernel/grpo/refinement/evaluations';
import {
  ProgramSearch,
  promisingReplays,
  type Assignment,
  type SearchPlan,
  type SearchSettings,
} from '../../../kernel/grpo/refinement/search';
import { resolveRefinement, type RefinementConfig } from '../../../kernel/grpo/refinement/settings';
import { episode, scored } from './fixtures';

const settings = (more: RefinementConfig = {}): SearchSettings => ({
  ...resolveRefinement({ archiveSize: 12, replays: 1, ...more })!,
  seed: 3,
});
const startOf = (generation: number) => (index: number) => 100 * generation + index;

/** What a source plays in these tests: its number of "R" RIGHT, its number of "L" LEFT; the fitness is its number of "R". */
function play(code: string | null, seed: number): Scored {
  if (code === null) return scored(null, null, -1);
  const actions = [...code].flatMap((letter) => ({ L: [0], R: [1], F: [2] })[letter] ?? []);
  return scored(code, episode(seed, actions), actions.filter((action) => action === 1).length);
}

/** Plays what was assigned. */
function playAll(
  plan: SearchPlan,
  codes: (string | null)[],
  assignment: Assignment,
): { children: Scored[]; replays: Scored[] } {
  const size = codes.length / plan.groups.length;
  const replays = assignment.replays.map(({ program, environmentSeed }) => play(program.code, environmentSeed));
  const children = codes.map((code, i) => {
    const assigned = assignment.children[i];
    if (typeof assigned === 'object') return 'copyOf' in assigned ? replays[assigned.copyOf] : scored(code, null, null);
    return play(code, plan.groups[Math.floor(i / size)].environmentSeed);
  });
  return { children, replays };
}

/** A generation whose children are given by group. */
function generation(
  search: ProgramSearch,
  number: number,
  childrenOf: (group: SearchPlan['groups'][number], g: number) => (string | null)[],
  count = 4,
) {
  const plan = search.plan(number, count, startOf(number));
  const codes = plan.groups.flatMap(childrenOf);
  const assignment = search.assign(plan, codes);
  const { children, replays } = playAll(plan, codes, assignment);
  const arrivals = search.accept(plan, assignment, children, replays);
  const again = promisingReplays(arrivals, startOf(number));
  return {
    plan,
    assignment,
    again,
    ...ProgramSearch.complete(
      arrivals,
      again,
      again.map(({ program, environmentSeed }) => play(program.code, environmentSeed)),
    ),
  };
}

const first = (g: number) => ['LR', 'LRR', 'LLR', 'RLR'].map((code) => code + 'LR'.repeat(g));
const grown = (more: RefinementConfig = {}) =>
  generation(ProgramSearch.start(settings(more)), 0, (_, g) => first(g)).search;

test('at first all groups are fresh, then a quarter; a step has no parent twice, and its parents are of its islands', () => {
  let search = ProgramSearch.start(settings());
  for (let number = 0; number < 6; number++) {
    const {
      plan,
      search: next,
      report,
    } = generation(search, number, ({ parent }, g) =>
      ['L', 'R', 'LR', 'RL'].map((edit) => `${parent?.code ?? first(g)[number % 4]}${edit}${'R'.repeat(number)}`),
    );
    const parents = plan.groups.flatMap(({ parent }) => parent ?? []);
    assert.equal(parents.length, number === 0 ? 0 : 3);
    assert.equal(new Set(parents.map(({ id }) => id)).size, parents.length);
    for (const { parent, island } of plan.groups) assert.ok(!parent || parent.islands.includes(island));
    assert.deepEqual(
      report.groups.map(({ fresh, parent }) => fresh === (parent === null)),
      [true, true, true, true],
    );
    search = next;
  }
  assert.equal(
    search.plan(9, 4, startOf(9), () => false).groups.every(({ parent }) => parent === null),
    true,
    'a parent whose prompt leaves no room is not chosen',
  );
});

test('parents play from the start of their group; known sources do not play, and their episodes go to replays', () => {
  const search = grown();
  const {
    plan,
    assignment,
    again,
    report,
    search: after,
  } = generation(search, 1, ({ parent }) =>
    parent
      ? [parent.code, `${parent.code}R`, ` ${parent.code}`, 'LRR']
      : ['LRR', 'FFF', 'FLF', null as unknown as string],
  );
  const parents = plan.groups.flatMap(({ parent, environmentSeed }) =>
    parent ? [{ id: parent.id, environmentSeed }] : [],
  );
  assert.deepEqual(
    assignment.replays.map(({ program, environmentSeed }) => ({ id: program.id, environmentSeed })),
    parents,
  );
  const spare = assignment.children.filter((assigned) => typeof assigned === 'object').length;
  assert.ok(spare >= 3 * 3 + 1);
  assert.ok(again.length > 1 && again.length <= 1 + spare, 'one, and those that were saved');
  assert.equal(
    new Set([...plan.groups, ...again].map(({ environmentSeed }) => environmentSeed)).size,
    plan.groups.length + again.length,
    'each from its own start',
  );
  assert.ok(
    again.some(({ program }) => program.generation === 1) &&
      again.every(({ program }) => !parents.some(({ id }) => id === program.id)),
    'new ones among them, no parent',
  );
  for (const [g, { fresh, children }] of report.groups.entries()) {
    if (fresh)
      assert.deepEqual(
        children.map(({ status }) => status),
        ['unchanged', 'played', 'played', 'failed'],
      );
    else
      assert.deepEqual(
        [0, 2, 3].map((i) => [children[i].status, children[i].duplicate, children[i].id]),
        [0, 2, 3].map(() => ['unchanged', true, null]),
        `group ${g}`,
      );
  }
  const played =
    assignment.children.filter((assigned) => assigned === 'play').length + assignment.replays.length + again.length;
  assert.equal(after.episodes - search.episodes, played);
});

test('gains are what is known of them: worth against the worth of the parent, its replay counted; children that play are kept with parent and gain', () => {
  const search = grown();
  const {
    plan,
    report,
    search: after,
  } = generation(search, 1, ({ parent }, g) =>
    parent
      ? [`${parent.code}RR`, `${parent.code}L`, `${parent.code}LL`, `${parent.code}LLL`]
      : ['F', 'FF', 'FR', `${'LF'.repeat(g + 1)}R`],
  );
  plan.groups.forEach(({ parent }, g) => {
    const { baseline, children } = report.groups[g];
    if (!parent) return;
    const fitness = (code: string) => [...code].filter((letter) => letter === 'R').length;
    assert.ok(Math.abs(baseline! - fitness(parent.code)) < 3);
    const first = fitness(parent.code) + 2 - baseline!;
    assert.ok(
      children[0].gain! < first && children[0].gain! > children[1].gain!,
      'one good episode is drawn towards the mean of all',
    );
    const child = children[0].id === null ? undefined : after.database.get(children[0].id);
    if (child) assert.deepEqual([child.parent, child.generation, child.code], [parent.id, 1, `${parent.code}RR`]);
  });
  const kept = report.groups
    .flatMap(({ children }) => children)
    .filter(({ id }) => id !== null && after.database.get(id));
  assert.ok(kept.length > 0);
});

test("the same behaviour is a duplicate: the parent's episode step for step, a constant action that is known, a sibling's", () => {
  const search = grown();
  const { report } = generation(search, 1, ({ parent }) =>
    parent
      ? [`${parent.code} // nothing`, 'RRRR', `${parent.code}LL`, `${parent.code}LL;`]
      : ['FFFF', 'FFFFF', 'LRF', 'FLR'],
  );
  const group = report.groups.find(({ fresh }) => !fresh)!;
  assert.deepEqual(
    group.children.map(({ status, duplicate }) => [status, duplicate]),
    [
      ['unchanged', true],
      ['played', false],
      ['played', false],
      ['played', true],
    ],
  );
  const fresh = report.groups.find(({ fresh }) => fresh)!;
  assert.deepEqual(
    fresh.children.map(({ status }) => status),
    ['played', 'played', 'played', 'played'],
  );
  const later = report.groups.filter(({ fresh }) => !fresh)[1];
  assert.deepEqual(
    [later.children[1].status, later.children[1].duplicate],
    ['unchanged', true],
    'always RIGHT is known from the group before',
  );
});

test('what the environment failed on does not count; what the strategy failed on is kept apart', () => {
  const search = grown({ archiveSize: 60 });
  const plan = search.plan(1, 4, startOf(1));
  const codes = plan.groups.flatMap((_, g) => [`lost${g}R`, `broken${g}LR`, `RLLR${g}`, `LLRR${g}`]);
  const assignment = search.assign(plan, codes);
  const { children, replays } = playAll(plan, codes, assignment);
  const changed = children.map((child, i): Scored => {
    if (codes[i].startsWith('lost')) return scored(codes[i], null, null, { environmentError: 'gone' });
    if (codes[i].startsWith('broken'))
      return scored(codes[i], episode(7, [0, 1], { end: { reason: 'error', message: 'no', line: 2 } }), -1);
    return child;
  });
  const { groups, search: after } = search.accept(
    plan,
    assignment,
    changed,
    replays.map(() => scored('LR', null, null, { environmentError: 'gone' })),
  );
  for (const { children } of groups)
    assert.deepEqual(
      children.slice(0, 2).map(({ status, gain }) => [status, gain === null]),
      [
        ['lost', true],
        ['failed', false],
      ],
    );
  for (const { parent } of plan.groups)
    if (parent)
      assert.equal(
        after.database.get(parent.id)!.evaluations.length,
        parent.evaluations.length,
        'a replay that failed is no episode',
      );
});

test('nothing that a search is asked changes it, and the same is answered again; saved and loaded, too', () => {
  const search = grown();
  const before = JSON.stringify(search);
  const children = ({ parent }: { parent: { code: string } | null }, g: number) =>
    [1, 2, 3, 4].map((n) => `${parent?.code ?? 'F'.repeat(g)}${'R'.repeat(n)}L`);
  const [a, b] = [generation(search, 1, children), generation(search, 1, children)];
  assert.equal(JSON.stringify(search), before);
  const loaded = ProgramSearch.fromJSON(JSON.parse(before), search.settings);
  const c = generation(loaded, 1, children);
  for (const other of [b, c]) {
    assert.deepEqual(other.plan, a.plan);
    assert.deepEqual(other.report, a.report);
    assert.equal(JSON.stringify(other.search), JSON.stringify(a.search));
  }
});

test('other reward functions score the episodes in memory; after a resumption programs play again', async () => {
  const search = grown();
  const lefts = async (samples: Scored['sample'][]) =>
    samples.map((sample) => ({
      sample,
      fitness: sample.episode!.actions.filter((action) => action === 0).length,
      rewards: {},
    }));
  const rescored = await search.rescored(lefts);
  for (const { code, evaluations } of rescored.database.programs())
    assert.equal(evaluations[0].fitness, [...code].filter((letter) => letter === 'L').length);
  const resumed = await ProgramSearch.fromJSON(JSON.parse(JSON.stringify(search)), search.settings).rescored(lefts);
  assert.ok(resumed.database.programs().every(({ evaluations }) => evaluations.length === 0));
  const {
    plan,
    again,
    search: after,
  } = generation(resumed, 1, (_, g) => ['F', 'FF', 'FFF', 'FFFF'].map((code) => code + 'LF'.repeat(g)));
  assert.ok(plan.groups.every(({ parent }) => parent === null));
  assert.ok(resumed.database.programs().every(({ id }) => again.some(({ program }) => program.id === id)));
  assert.ok(after.database.programs().every(({ evaluations }) => evaluations.length > 0));
});

test('initial programs play before anything is edited', () => {
  const search = ProgramSearch.start(
    settings({ initialPrograms: ['strategy RRRR', 'strategy LLL\r\n', 'strategy  RRRR'] }),
  );
  const { again, search: after } = generation(search, 0, (_, g) => first(g));
  assert.deepEqual(
    again.slice(0, 2).map(({ program }) => program.code),
    ['strategy RRRR', 'strategy LLL'],
  );
  assert.deepEqual(
    after.database
      .programs()
      .slice(0, 2)
      .map(({ generation, evaluations }) => [generation, evaluations.length]),
    [
      [-1, 1],
      [-1, 1],
    ],
  );
});
