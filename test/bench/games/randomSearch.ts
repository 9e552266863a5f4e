import { RandomSource } from '../../../kernel/openenv/serving/randomSource';
import { ProgramSearch, type Scored, type SearchGroup } from '../../../kernel/grpo/refinement/search';
import { resolveRefinement, type RefinementConfig } from '../../../kernel/grpo/refinement/settings';
import { validate } from '../../../kernel/grpo/refinement/validation';
import type { Episode } from '../../../kernel';
import { deriveSeed } from '../../../kernel/training/seeds';
import type { EditorTask } from './decisionList';
import { play, type OpenedEnvironment } from './playing';
import { RandomEditor } from './randomEditor';
import { trainingStart, validationStarts } from './starts';

/** Groups of a generation, and edits of one parent, as by default with a model. */
const GROUPS = 4;
const EDITS = 8;

/** How a search is done. */
export interface RandomSearchSettings {
  seed: number;
  /** Episodes at most, those for choosing among them. */
  episodes: number;
  maxSteps: number;
  refinement?: RefinementConfig;
  groups?: number;
  edits?: number;
  log(line: string): void;
}

/** What a search found. */
export interface Found {
  code: string;
  /** Episodes that were played, those for choosing among them. */
  episodes: number;
  /** Of the edits, the part that improved its parent. */
  improved: number;
}

/**
 * The search that a model's edits go through, with edits made by chance: the
 * same program database, parents, replays and validation.
 */
export async function randomSearch(env: OpenedEnvironment, task: EditorTask, { seed, episodes, maxSteps, refinement = {}, groups = GROUPS, edits = EDITS, log }: RandomSearchSettings): Promise<Found> {
  const editor = new RandomEditor(task, deriveSeed(seed, 'editor'));
  const random = new RandomSource(deriveSeed(seed, 'second parent'));
  const settings = { ...resolveRefinement(refinement)!, seed };
  let search = ProgramSearch.start(settings);
  let [edited, improved] = [0, 0];
  const size = groups * (edits + 1) + settings.replays;
  for (let generation = 0; search.episodes + size <= episodes - settings.validationEpisodes; generation++) {
    const startOf = (i: number) => trainingStart(seed, generation * size + i);
    const plan = search.plan(generation, groups, startOf);
    const codes = plan.groups.flatMap((group) => Array.from({ length: edits }, () => child(editor, search, group, random)));
    const assignment = search.assign(plan, codes, startOf);
    const playing = assignment.children.flatMap((fate, i) => (fate === 'play' ? [i] : []));
    const played = await play(
      env,
      [...playing.map((i) => codes[i]), ...assignment.replays.map(({ program }) => program.code)],
      [...playing.map((i) => plan.groups[Math.floor(i / edits)].environmentSeed), ...assignment.replays.map(({ environmentSeed }) => environmentSeed)],
      maxSteps,
    );
    const children = codes.map((code, i) => scored(code, playing.includes(i) ? played[playing.indexOf(i)] : null));
    const replays = assignment.replays.map(({ program }, i) => scored(program.code, played[playing.length + i]));
    const accepted = search.accept(plan, assignment, children, replays);
    search = accepted.search;
    const gains = accepted.report.groups.filter(({ fresh }) => !fresh).flatMap(({ children: made }) => made.map(({ gain }) => gain ?? 0));
    edited += gains.length;
    improved += gains.filter((gain) => gain > 0).length;
    const [best] = search.best();
    log(`generation ${generation + 1}, ${search.episodes} episodes: best ${search.database.worth(best).toFixed(1)} of ${best.evaluations.length}, archive ${search.database.size}`);
  }
  const candidates = search.database.best().map((program) => ({ id: program.id, worth: search.database.worth(program) }));
  const starts = validationStarts(seed, settings.validationEpisodes);
  const { winner, episodes: validated } = await validate(candidates, settings.validationEpisodes, async (ids, numbers) => {
    const programs = ids.map((id) => search.database.get(id)!.code);
    const results = await play(env, programs.flatMap((code) => numbers.map(() => code)), programs.flatMap(() => numbers.map((number) => starts[number])), maxSteps);
    return programs.map((_, p) => results.slice(p * numbers.length, (p + 1) * numbers.length).map((episode) => episode.return));
  });
  const program = search.database.get(winner?.id ?? candidates[0].id)!;
  return { code: program.code, episodes: search.episodes + validated, improved: improved / edited };
}

/** An edit of the group's parent, which may take rules from another one of its island; or a fresh program. */
function child(editor: RandomEditor, search: ProgramSearch, { parent, island }: SearchGroup, random: RandomSource): string {
  for (let attempt = 0; ; attempt++) {
    const code = parent ? editor.edit(parent.code, search.database.parent(island, random)?.code) : editor.fresh();
    if (search.database.idOf(code) === undefined || attempt === 20) return code;
  }
}

/** An episode with its return for a reward. */
function scored(code: string, episode: Episode | null): Scored {
  const sample = { prompt: '', completion: code, completionIds: [], code, problems: [], episode, step: 0 };
  return { sample, fitness: episode && episode.return, rewards: {} };
}
