import { formatNumber } from '../display/table';
import type { Sample } from './sample';
import { weightedSum, type RewardTable } from './scoring';
import { chunks, isConstant } from './statistics';

/**
 * Says for each group whose samples all have the same reward why it teaches
 * nothing: which functions tie it. Empty where every group has a spread.
 */
export function diagnoseSignal(table: RewardTable, samples: readonly Sample[], groupSize: number): string[] {
  const groups = chunks(weightedSum(table), groupSize);
  return groups.flatMap((sums, g) => {
    const start = g * groupSize;
    const members = samples.slice(start, start + groupSize);
    if (members.every(({ environmentError }) => environmentError !== undefined)) return [`no signal: the environment could play none of ${members.length} completions`];
    if (sums.every((sum) => sum === null)) return [`no signal: no reward function applies to any of ${members.length} completions`];
    if (!isConstant(sums)) return [];
    return [explainTie(table, members, start, sums)];
  });
}

function explainTie(table: RewardTable, members: readonly Sample[], start: number, sums: Array<number | null>): string {
  const sum = formatNumber(sums.find((value) => value !== null));
  const head = `no signal: all ${members.length} completions get ${sum}`;
  if (members.every(({ completion }) => completion === members[0].completion)) {
    return `${head}, because they are the same text. Raise the temperature, or lower the learning rate of the next run`;
  }
  const columns = table.values.map((values) => values.slice(start, start + members.length));
  const said = columns.map((values, f) => {
    if (values.every((value) => value === null)) return `${table.names[f]} applies to none`;
    return isConstant(values) ? `${table.names[f]} gives each ${formatNumber(values.find((value) => value !== null))}` : null;
  });
  const differing = table.names.filter((_, f) => said[f] === null);
  if (differing.length > 0) return `${head}: ${differing.join(' and ')} differ but their weighted sum does not`;
  return `${head}: ${said.join(', ')}`;
}
