import type { TrainingData } from '../../kernel/display/mime';
import { comparisonRows } from '../../kernel/display/training/experiment';
import { element } from '../widgets/element';

/** A run beside the experiment that the notebook had saved: hidden where there is none. */
export class ComparisonNote {
  readonly node = element('div', 'joylab-Comparison-note');
  private shown: TrainingData['comparison'];

  constructor() {
    this.node.hidden = true;
    this.node.setAttribute('role', 'status');
  }

  show(comparison: TrainingData['comparison']): void {
    if (comparison === this.shown) return;
    this.shown = comparison;
    this.node.hidden = !comparison;
    if (!comparison) return this.node.replaceChildren();
    this.node.dataset.equal = String(comparison.equal);
    const head = ['', 'saved', 'this run'].map((text) => {
      const cell = element(text ? 'th' : 'td', '', text);
      if (text) cell.setAttribute('scope', 'col');
      return cell;
    });
    const rows = comparisonRows(comparison).map((texts) =>
      element(
        'tr',
        '',
        texts.map((text, i) => element(i === 0 ? 'th' : 'td', '', text)),
      ),
    );
    for (const row of rows) row.firstElementChild!.setAttribute('scope', 'row');
    this.node.replaceChildren(
      element('p', '', comparison.text),
      element('details', '', [
        element('summary', '', 'Numbers'),
        element('table', '', [element('thead', '', [element('tr', '', head)]), element('tbody', '', rows)]),
      ]),
    );
  }
}
