import { searchPrograms, type ProgramEditor, type Sample } from '../../../../kernel';
import { RandomSource } from '../../../../kernel/openenv/serving/randomSource';
import type { Program } from '../../../../kernel/grpo/refinement/program';
import type { Programs } from '../../../../kernel/grpo/refinement/programs';
import type { EditorTask } from '../decisionList';
import { editorTask } from '../editorTask';
import { SECRET } from '../playing';
import { RandomEditor } from '../randomEditor';
import { EPISODES, PLAYING, reported, score, SEARCH, type Variant } from './variant';

/** The baseline without a model: the same search, with random edits. */
export const random: Variant = {
  description: 'random edits of decision lists, the same search',
  sources: [
    ...PLAYING,
    ...SEARCH,
    ...['decisionList', 'randomEditor', 'variants/random'].map((name) => `test/bench/games/${name}.ts`),
  ],
  async run(given) {
    const { task, env, seed, log } = given;
    let [searched, chosen] = [0, 0];
    let [edits, improved] = [0, 0];
    const programs = await searchPrograms({
      env,
      rewardFuncs: (sample: Sample) => (chosen++, score(sample)),
      editor: randomEdits(editorTask(env)),
      args: { seed, maxEpisodeSteps: task.trainingSteps, refinement: { maxEpisodes: EPISODES } },
      secret: SECRET,
      onStep(step, { groups, metrics }, found) {
        [searched, chosen] = [metrics['refinement/episodes'], 0];
        const gains = groups
          .filter(({ fresh }) => !fresh)
          .flatMap(({ children }) => children.map(({ gain }) => gain ?? 0));
        edits += gains.length;
        improved += gains.filter((gain) => gain > 0).length;
        log(`step ${step}, ${searched} episodes: best ${found.best()?.worth.toFixed(1)}, archive ${found.size}`);
      },
    });
    const { code } = programs.best()!;
    return {
      episodes: searched + chosen,
      figures: { improved: improved / edits },
      report: async () => [await reported(given, 'random edits', code)],
    };
  },
};

/** Attempts to write a program that was not played before. */
const ATTEMPTS = 20;
/** Programs from which an edit may take rules. */
const MATES = 20;

/** Returns an editor that edits the parent, perhaps with rules from another good program, or writes a new program. */
function randomEdits(task: EditorTask): ProgramEditor {
  const editor = new RandomEditor(task);
  const written = new Set<string>();
  return (parent: Program | null, seed: number, programs: Programs) => {
    const random = new RandomSource(seed);
    for (let attempt = 0; ; attempt++) {
      const draw = random.int(0, 2 ** 31 - 1);
      const code = parent
        ? editor.edit(parent.code, draw, random.choice(programs.ranking(MATES)).code)
        : editor.fresh(draw);
      if (!written.has(code) || attempt === ATTEMPTS) {
        written.add(code);
        return code;
      }
    }
  };
}
