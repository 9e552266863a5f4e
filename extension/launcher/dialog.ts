import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { element } from '../widgets/element';
import { isMeant } from './games';
import template from './template.json';
// From where this file is compiled to. The style is loaded with the dialog.
import '../../../../style/launcher.css';

/** Asks for a game. Resolves to its name, or to `null` when the dialog is cancelled. */
export async function askForGame(): Promise<string | null> {
  const body = new GameList();
  const dialog: Promise<Dialog.IResult<string | null>> = showDialog({
    title: 'New Atari GRPO Notebook',
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Create' })],
    focusNodeSelector: 'input',
  });
  const { button, value } = await dialog;
  return button.accept ? value : null;
}

/** The games, with a field that searches them: a combobox whose list is always open. */
class GameList extends Widget {
  private readonly input = element('input', 'jp-mod-styled joylab-Games-search');
  private readonly list = element('div', 'joylab-Games-list');
  private readonly none = element('div', 'joylab-Games-none', 'No game of this name.');
  private readonly options = new Map<string, HTMLElement>();
  /** The game of the notebook that is the pattern, at first. */
  private chosen: string | null = 'breakout';

  constructor() {
    super();
    this.addClass('joylab-Games');
    const { input, list, none, node } = this;
    input.type = 'text';
    input.placeholder = `Search ${template.games.length} games`;
    list.id = 'joylab-games';
    for (const [name, value] of Object.entries({
      role: 'combobox',
      'aria-label': 'Game',
      'aria-expanded': 'true',
      'aria-controls': list.id,
      'aria-autocomplete': 'list',
    }))
      input.setAttribute(name, value);
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', 'Games');
    none.setAttribute('role', 'status');
    list.append(
      this.group(
        'With named state',
        template.games.filter(({ state }) => state.length > 0),
      ),
      this.group(
        'With the 128 bytes of memory alone',
        template.games.filter(({ state }) => state.length === 0),
      ),
    );
    node.append(input, list, none);
    input.addEventListener('keydown', (event) => this.move(event));
    this.search();
  }

  /** Returns the game that is chosen. */
  getValue(): string | null {
    return this.chosen;
  }

  protected override onAfterAttach(): void {
    // The dialog looks in the document's capture phase whether it may be accepted: the list must be searched before.
    window.addEventListener('input', this.search, true);
  }

  protected override onBeforeDetach(): void {
    window.removeEventListener('input', this.search, true);
  }

  private group(label: string, games: typeof template.games): HTMLElement {
    const options = games.map(({ name, title, state }) => {
      const option = element('div', 'joylab-Games-option', [
        element('span', '', title),
        element('span', 'joylab-Games-state', state.join(', ')),
      ]);
      option.id = `joylab-game-${name}`;
      option.setAttribute('role', 'option');
      option.addEventListener('click', () => this.choose(name));
      this.options.set(name, option);
      return option;
    });
    const heading = element('div', 'joylab-Games-heading', label);
    heading.setAttribute('role', 'presentation');
    const group = element('div', 'joylab-Games-group', [heading, ...options]);
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', label);
    return group;
  }

  private readonly search = (): void => {
    const { value } = this.input;
    for (const [name, option] of this.options) option.hidden = !isMeant(name, value.trim());
    for (const group of this.list.children as Iterable<HTMLElement> & HTMLCollection)
      group.toggleAttribute('hidden', !group.querySelector('[role=option]:not([hidden])'));
    const shown = this.shown();
    this.none.hidden = shown.length > 0;
    this.list.hidden = shown.length === 0;
    this.input.setCustomValidity(shown.length > 0 ? '' : 'No game of this name.');
    this.choose(this.chosen !== null && shown.includes(this.chosen) ? this.chosen : (shown[0] ?? null));
  };

  private shown(): string[] {
    return [...this.options].filter(([, { hidden }]) => !hidden).map(([name]) => name);
  }

  private choose(game: string | null): void {
    if (this.chosen !== null) this.options.get(this.chosen)!.setAttribute('aria-selected', 'false');
    this.chosen = game;
    const option = game === null ? null : this.options.get(game)!;
    option?.setAttribute('aria-selected', 'true');
    this.input.setAttribute('aria-activedescendant', option?.id ?? '');
    option?.scrollIntoView({ block: 'nearest' });
  }

  /** Chooses another game by keyboard. */
  private move(event: KeyboardEvent): void {
    const shown = this.shown();
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (by === undefined || shown.length === 0) return;
    event.preventDefault();
    const next = Math.min(Math.max(shown.indexOf(this.chosen!) + by, 0), shown.length - 1);
    this.choose(shown[next]);
  }
}
