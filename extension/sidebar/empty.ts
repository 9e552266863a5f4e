import { element } from '../widgets/element';

/** A button of an empty place. */
export interface EmptyAction {
  label: string;
  run(): void;
}

/** Returns what is told where there is nothing to show, with what helps. */
export function emptyState(text: string, actions: readonly EmptyAction[]): HTMLElement {
  const buttons = actions.map(({ label, run }) => {
    const node = element('button', 'joylab-Action', label);
    node.type = 'button';
    node.dataset.control = label;
    node.addEventListener('click', run);
    return node;
  });
  const told = element('p', '', text);
  told.setAttribute('role', 'status');
  return element('div', 'joylab-Panel-empty', [
    told,
    ...(buttons.length > 0 ? [element('div', 'joylab-Panel-buttons', buttons)] : []),
  ]);
}
