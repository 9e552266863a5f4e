import { formatNumber } from '../../kernel/display/table';
import { element } from '../widgets/element';

/** Before, after. */
export type Pair = readonly [number | null, number | null];

/** Returns by how much a number has risen; 0 where it is unknown. */
export function rise([before, after]: Pair): number {
  return before === null && after === null ? 0 : (after ?? 0) - (before ?? 0);
}

/**
 * Returns "0.2 → 0.7", coloured where it became better or worse, and with an arrow, so
 * that colours are not needed.
 *
 * @param better the sign of what is better: −1 for ranks
 */
export function change(pair: Pair, better: 1 | -1 = 1): HTMLElement {
  const [before, after] = pair.map((value) => formatNumber(value).replace('-', '−'));
  const known = pair[0] !== null && pair[1] !== null;
  const sign = known ? Math.sign(rise(pair) * better) : 0;
  if (before === after) return element('span', 'joylab-Change', after);
  const node = element('span', 'joylab-Change', [
    element('span', 'joylab-Change-before', before),
    element('span', 'joylab-Change-arrow', ' → '),
    element('span', '', after),
  ]);
  if (sign === 0) return node;
  node.classList.add(sign > 0 ? 'joylab-mod-better' : 'joylab-mod-worse');
  node.append(element('span', 'joylab-Change-sign', sign > 0 ? ' ▲' : ' ▼'));
  node.title = sign > 0 ? 'better' : 'worse';
  return node;
}
