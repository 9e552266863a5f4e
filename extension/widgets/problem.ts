import { element } from './element';

/** Returns the message in place of an output that cannot be shown. */
export function problem(title: string, detail: string): HTMLElement {
  const node = element('div', 'joylab-Problem', [element('strong', '', title), element('span', '', detail)]);
  node.setAttribute('role', 'alert');
  return node;
}
