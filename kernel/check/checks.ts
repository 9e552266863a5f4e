/** A check: its words, and what OpenEnv's policy v2 says of a failure. */
export interface Check {
  title: string;
  /** What it asks. */
  question: string;
  /** `fail`: a reason against training; `warn` and `advisory` are not. */
  severity: 'fail' | 'warn' | 'advisory';
  /** Checks without which it says nothing. */
  needs?: readonly CheckId[];
}

/** OpenEnv's IDs (`openenv validate`, severity policy v2) of what is checked, in the order of the report. */
const table = {
  'runtime.startup': {
    title: 'runs',
    question: 'Does an episode start, take steps, and stay up?',
    severity: 'fail',
  },
  'runtime.observation_schema': {
    title: 'observations fit their schema',
    question: 'Are observations as the JSON Schema says?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'runtime.reward_well_formed': {
    title: 'rewards are numbers',
    question: 'Does each step have a finite reward?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'runtime.state_contract': {
    title: 'state counts steps',
    question: 'Has state() the ID of the episode and the number of its steps?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'runtime.tool_declaration_accuracy': {
    title: 'tools are as declared',
    question: 'Do the tools that are listed exist, and only these?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'runtime.seed_control': {
    title: 'seeds decide the start',
    question: 'Does the same seed give the same start?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'runtime.episode_determinism': {
    title: 'episodes are determined',
    question: 'Do the same seed and actions give the same episode in another session?',
    severity: 'fail',
    needs: ['runtime.seed_control'],
  },
  'runtime.episode_isolation': {
    title: 'sessions are isolated',
    question: 'Do two sessions that take turns leave one another alone?',
    severity: 'fail',
    needs: ['runtime.episode_determinism'],
  },
  'runtime.resource_bounds': {
    title: 'steps are quick and small',
    question: 'What do a reset and a step cost, in time and bytes?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'semantic.replayability': {
    title: 'episodes can be replayed',
    question: 'Does a session that has played others give an episode again?',
    severity: 'fail',
    needs: ['runtime.episode_determinism'],
  },
  'semantic.floor_gap': {
    title: 'play makes a difference',
    question: 'Is there a gap between the best and the worst play?',
    severity: 'fail',
    needs: ['runtime.reward_well_formed', 'statistical.reward_reachability'],
  },
  'semantic.oracle_max': {
    title: 'the oracle gets the most',
    question: 'Does a known solution get what can be got?',
    severity: 'fail',
    needs: ['runtime.reward_well_formed', 'statistical.reward_reachability'],
  },
  'semantic.canary_floor': {
    title: 'no skill, no prize',
    question: 'Do policies that know nothing stay below the best?',
    severity: 'fail',
    needs: ['runtime.reward_well_formed', 'statistical.reward_reachability', 'semantic.floor_gap'],
  },
  'semantic.no_solution_leakage': {
    title: 'the solution is not given away',
    question: 'Is the action that wins to be read in the observation?',
    severity: 'fail',
    needs: ['runtime.startup'],
  },
  'statistical.reward_reachability': {
    title: 'something can be won',
    question: 'On which share of starts can anything be won?',
    severity: 'fail',
    needs: ['runtime.reward_well_formed'],
  },
  'statistical.headroom': {
    title: 'there is room to learn',
    question: 'How far is chance from the best that is known?',
    severity: 'warn',
    needs: ['runtime.reward_well_formed', 'semantic.floor_gap'],
  },
  'statistical.variance_bound': {
    title: 'play outweighs luck',
    question: 'How many episodes tell two policies apart?',
    severity: 'fail',
    needs: ['runtime.reward_well_formed', 'semantic.floor_gap'],
  },
  'statistical.training_signal': {
    title: 'groups have a spread',
    question: 'Do episodes from one start get different returns, as GRPO needs?',
    severity: 'advisory',
    needs: ['runtime.reward_well_formed', 'semantic.floor_gap'],
  },
} as const;

/** OpenEnv's ID of a check. */
export type CheckId = keyof typeof table;

export const CHECKS: Readonly<Record<CheckId, Check>> = table;

/** All IDs, in the order of the report. */
export const CHECK_IDS = Object.keys(table) as CheckId[];
