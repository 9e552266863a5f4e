import { element, setText } from '../widgets/element';

/** A part of the panel under a heading, which opens and closes it. */
export class Section {
  readonly node = element('details', 'joylab-Panel-section');
  private readonly number = element('span', 'joylab-Panel-count');
  private readonly body = element('div', 'joylab-Panel-body');

  constructor(title: string) {
    const head = element('summary', 'joylab-Panel-summary', [element('span', '', title), this.number]);
    this.node.open = true;
    this.node.append(head, this.body);
  }

  /** Shows a number beside the heading. */
  count(text: string): void {
    setText(this.number, text);
  }

  /** Shows nodes in place of those before, where they differ; the keyboard stays at the control where it was. */
  show(nodes: HTMLElement[]): void {
    const { body } = this;
    const { children } = body;
    const isSame = (node: HTMLElement, i: number) => node === children[i] || node.isEqualNode(children[i]);
    if (nodes.length === children.length && nodes.every(isSame)) return;
    const focused = body.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.control
      : undefined;
    body.replaceChildren(...nodes);
    if (focused === undefined) return;
    const controls = [...body.querySelectorAll<HTMLElement>('[data-control]')];
    controls.find(({ dataset }) => dataset.control === focused)?.focus();
  }
}
