import type { RewardFunction } from '../../rewards/sample';
import { CellFailure } from '../errors';
import type { Declared, Directive } from './directive';

/** `@reward`: registers functions of the cell as reward functions. */
export const reward: Directive = {
  name: 'reward',
  documentation:
    'Registers each function of the cell as a reward function under its name. Running the cell again replaces it and scores the last rollouts again.',
  parameters: [{ name: 'weight', type: 'number', documentation: 'Factor of the reward in the sum. Default: 1.' }],

  async apply({ args, target, declared, repeated, variables }) {
    const scored = functions(repeated ? target : declared, (name) => variables.get(name));
    if (scored.length === 0) {
      throw new CellFailure('DirectiveError', '@reward found no function. Write one below the comment: function score({ episode }: Sample) { return episode ? episode.return : null; }');
    }
    const { rewardRegistry } = await import('../../rewards/index.js');
    for (const [name, score] of scored) await rewardRegistry.register(name, score, { weight: args.weight as number | undefined });
  },
};

function functions(declared: Declared[], value: (name: string) => unknown): Array<[string, RewardFunction]> {
  return declared
    .filter(({ name, kind }) => kind !== 'class' && typeof value(name) === 'function')
    .map(({ name }) => [name, value(name) as RewardFunction]);
}
