import type { RewardFunction } from '../../rewards/sample';
import { CellFailure } from '../errors';
import type { Declared, Directive } from './directive';

/** `@reward`: registers functions of the cell as reward functions. */
export const reward: Directive = {
  name: 'reward',
  runsBeside: true,
  documentation:
    'Registers each function of the cell as a reward function under its name. Running the cell again replaces its functions as a set, and scores the last rollouts again. `rewardRegistry` shows what counts.',
  parameters: [
    { name: 'weight', type: 'number', documentation: 'Factor of the reward in the sum. Default: 1.' },
    {
      name: 'timeLimit',
      was: 'seconds',
      type: 'number',
      documentation: 'Seconds that the function may take for one sample. Default: rewardTimeLimit of the run, 300.',
    },
    {
      name: 'off',
      type: 'boolean',
      documentation: 'Whether the function is left out: it is known, and does not count. Default: false.',
    },
  ],

  async apply({ args, target, declared, repeated, variables, label }) {
    const scored = functions(repeated ? target : declared, (name) => variables.get(name));
    if (scored.length === 0) {
      throw new CellFailure(
        'DirectiveError',
        '@reward found no function. Write one below the comment: function score({ episode }: Sample) { return episode && !episode.failed ? episode.return : 0; }',
      );
    }
    const { rewardRegistry } = await import('../../grpo/session.js');
    for (const { name, score, line } of scored) {
      const { weight, timeLimit, off } = args as { weight?: number; timeLimit?: number; off?: boolean };
      rewardRegistry.addOfCell(name, score, { weight, timeLimit, enabled: !off, source: `${label}, line ${line}` });
    }
  },

  async finish() {
    const { rewardRegistry } = await import('../../grpo/session.js');
    await rewardRegistry.finishCell();
  },
};

interface Scored extends Declared {
  score: RewardFunction;
}

function functions(declared: Declared[], value: (name: string) => unknown): Scored[] {
  return declared
    .filter(({ name, kind }) => kind !== 'class' && typeof value(name) === 'function')
    .map((one) => ({ ...one, score: value(one.name) as RewardFunction }));
}
