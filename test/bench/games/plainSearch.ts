import { RandomSource } from '../../../kernel/openenv/serving/randomSource';
import { deriveSeed } from '../../../kernel/training/seeds';
import { chosen } from './choosing';
import { play, type OpenedEnvironment } from './playing';
import { RandomEditor } from './randomEditor';
import { trainingStart } from './starts';
import type { EditorTask } from './decisionList';

/** Programs that are kept. */
const POPULATION = 60;
/** Episodes of a step: of new programs, and of the best ones again. */
const NEW = 22;
const AGAIN = 10;
/** Part of the new programs that have no parent. */
const FRESH = 0.1;
/** A parent is the best of so many. */
const TOURNAMENT = 5;
/** Programs that have played so often are known. */
const KNOWN = 16;

/** A program with the returns of its episodes. */
interface Candidate {
  code: string;
  returns: number[];
  /** Its mean, drawn towards that of all while it has played little; and how far off that may be. */
  worth: number;
  spread: number;
}

export interface SearchSettings {
  /** Episodes at most, those for choosing among them. */
  episodes: number;
  maxSteps: number;
  log(line: string): void;
}

/** What a search found. */
export interface Found {
  code: string;
  /** Episodes that were played, those for choosing among them. */
  episodes: number;
}

/**
 * Looks for a good program by random edits: each step plays new ones from one
 * start, and the most promising again. The best are then compared on
 * validation starts.
 */
export async function plainSearch(env: OpenedEnvironment, task: EditorTask, seed: number, { episodes, maxSteps, log }: SearchSettings): Promise<Found> {
  const editor = new RandomEditor(task, deriveSeed(seed, 'editor'));
  const random = new RandomSource(deriveSeed(seed, 'selection'));
  const known = new Map<string, Candidate>();
  const choosing = Math.min(128, Math.floor(episodes / 8));
  let population: Candidate[] = [];
  let played = 0;
  for (let step = 0; played + NEW + AGAIN <= episodes - choosing; step++) {
    const again = promising(population, AGAIN);
    const young = Array.from({ length: NEW + AGAIN - again.length }, () => newCandidate(editor, population, random, known));
    const group = [...again, ...young];
    const results = await play(env, group.map(({ code }) => code), group.map(() => trainingStart(seed, step)), maxSteps);
    results.forEach((episode, i) => group[i].returns.push(episode.return));
    played += group.length;
    for (const candidate of young) known.set(candidate.code, candidate);
    estimate([...known.values()]);
    population = [...known.values()].sort((a, b) => b.worth - a.worth).slice(0, POPULATION);
    log(`step ${step + 1}: best ${population[0].worth.toFixed(1)} ± ${population[0].spread.toFixed(1)} of ${population[0].returns.length}, new ones ${mean(young.map(({ returns }) => returns[0])).toFixed(1)}`);
  }
  const choice = await chosen(env, population.map(({ code }) => code), { seed, episodes: choosing, maxSteps });
  return { code: choice.code, episodes: played + choice.episodes };
}

function newCandidate(editor: RandomEditor, population: Candidate[], random: RandomSource, known: Map<string, Candidate>): Candidate {
  const parent = () => Array.from({ length: TOURNAMENT }, () => random.choice(population)).reduce((best, one) => (one.worth > best.worth ? one : best)).code;
  for (;;) {
    const code = population.length === 0 || random.next() < FRESH ? editor.fresh() : editor.edit(parent(), parent());
    if (!known.has(code)) return { code, returns: [], worth: 0, spread: 0 };
  }
}

/** Those that may be the best: the highest that their worth may be. */
function promising(population: Candidate[], count: number): Candidate[] {
  const highest = ({ worth, spread }: Candidate) => worth + spread;
  return population.filter(({ returns }) => returns.length < KNOWN).sort((a, b) => highest(b) - highest(a)).slice(0, count);
}

/**
 * Empirical Bayes: a program's mean is drawn towards that of all by how much
 * episodes of one program differ, against how much programs do.
 */
function estimate(candidates: Candidate[]): void {
  const means = candidates.map(({ returns }) => mean(returns));
  const all = mean(means);
  const repeated = candidates.filter(({ returns }) => returns.length > 1);
  const deviations = repeated.reduce((sum, { returns }) => sum + returns.reduce((total, value) => total + (value - mean(returns)) ** 2, 0), 0);
  const within = deviations / Math.max(1, repeated.reduce((sum, { returns }) => sum + returns.length - 1, 0));
  const total = means.reduce((sum, value) => sum + (value - all) ** 2, 0) / Math.max(1, means.length - 1);
  const between = Math.max(total - within, 0.1 * total);
  candidates.forEach((candidate, i) => {
    const noise = within / candidate.returns.length;
    const trust = between + noise > 0 ? between / (between + noise) : 1;
    candidate.worth = all + trust * (means[i] - all);
    candidate.spread = Math.sqrt(trust * noise);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
