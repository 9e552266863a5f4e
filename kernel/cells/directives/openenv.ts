import type { Directive } from './directive';

/** `@openenv`: shows the environments that the cell declares, each as its card. */
export const openenv: Directive = {
  name: 'openenv',
  documentation: 'Shows the environments that the cell declares: name, actions, state variables, first frame.',
  parameters: [{ name: 'card', type: 'boolean', documentation: 'Whether the card is shown. Default: true.' }],

  async apply({ args, declared, variables }) {
    if (args.card === false) return;
    const { display } = await import('../../display/index.js');
    for (const { name } of declared) {
      const value = variables.get(name);
      if (hasCard(value)) await display(await value.card());
    }
  },
};

function hasCard(value: unknown): value is { card(): unknown } {
  return typeof (value as { card?: unknown } | null | undefined)?.card === 'function';
}
