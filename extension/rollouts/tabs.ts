import { element } from '../widgets/element';

let made = 0;

/** Texts of which one is shown; the one that was chosen last stays chosen in the next rollout. */
export class Tabs {
  readonly node: HTMLElement;
  private static chosen = '';
  private readonly list = element('div', 'joylab-Tabs-list');
  private readonly place = element('div', 'joylab-Tabs-panel');
  private readonly tabs: Array<{ button: HTMLButtonElement; name: string; content: () => HTMLElement }> = [];
  private readonly id = `joylab-tabs-${++made}`;

  constructor(label: string) {
    this.list.setAttribute('role', 'tablist');
    this.list.setAttribute('aria-label', label);
    this.place.setAttribute('role', 'tabpanel');
    this.place.id = this.id;
    this.list.addEventListener('keydown', (event) => this.onKey(event));
    this.node = element('div', 'joylab-Tabs', [this.list, this.place]);
  }

  /** Adds a tab; the first one is shown until another is chosen. @param make called when it is shown first */
  add(name: string, make: () => HTMLElement): void {
    let content: HTMLElement | null = null;
    const button = element('button', 'joylab-Tab', name);
    button.type = 'button';
    button.id = `${this.id}-${this.tabs.length}`;
    button.setAttribute('role', 'tab');
    button.setAttribute('aria-controls', this.id);
    button.addEventListener('click', () => this.choose(name));
    this.tabs.push({ button, name, content: () => (content ??= make()) });
    this.list.append(button);
    if (this.tabs.length === 1 || name === Tabs.chosen) this.show(name);
    else mark(button, false);
  }

  private choose(name: string): void {
    Tabs.chosen = name;
    this.show(name);
  }

  private show(name: string): void {
    for (const tab of this.tabs) {
      mark(tab.button, tab.name === name);
      if (tab.name !== name) continue;
      this.place.replaceChildren(tab.content());
      this.place.setAttribute('aria-labelledby', tab.button.id);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.tabs.findIndex(({ button }) => button === document.activeElement);
    const next = this.tabs[(at + by + this.tabs.length) % this.tabs.length];
    this.choose(next.name);
    next.button.focus();
  }
}

function mark(button: HTMLButtonElement, selected: boolean): void {
  button.setAttribute('aria-selected', String(selected));
  button.tabIndex = selected ? 0 : -1;
}
