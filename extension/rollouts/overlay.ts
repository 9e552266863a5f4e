import { Widget } from '@lumino/widgets';
import { describe, element } from '../widgets/element';

/** Shows a view over the page, until it is closed. */
export function showOver(widget: Widget): void {
  const before = document.activeElement;
  widget.addClass('joylab-Output');
  widget.addClass('joylab-Rollouts-over');
  const close = element('button', 'joylab-Switch joylab-Rollouts-close', 'Close');
  close.type = 'button';
  describe(close, 'Close the rollouts');
  close.addEventListener('click', () => widget.dispose());
  widget.node.append(close);
  widget.node.setAttribute('role', 'dialog');
  widget.node.setAttribute('aria-label', 'Rollouts');
  widget.disposed.connect(() => before instanceof HTMLElement && before.focus());
  Widget.attach(widget, document.body);
  widget.activate();
}
