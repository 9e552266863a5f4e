import { readArguments, type ArgumentProblem } from '../directives/arguments';
import { outline } from '../directives/comments';
import type { Arguments } from '../directives/directive';
import { clientName, servedClass } from '../directives/openenv';
import { directives } from '../directives/registry';
import type { NotebookCell } from './cells';
import { statementsOf, type CellStatement } from './statements';

/** A reward function of a `@reward` cell. */
export interface RewardOutline {
  name: string;
  args: Arguments;
}

/** A class of an `@openenv` cell that is served, and the variable of its client. */
export interface ServedOutline {
  className: string;
  client: string;
  description: string;
}

/** A cell, as an export looks at it. */
export interface CellOutline {
  statements: CellStatement[];
  rewards: RewardOutline[];
  served: ServedOutline[];
  /** The newest environment that an `@openenv` of the cell declares. */
  environment: string | null;
  /** The name of the settings and the arguments, in a `@grpo` cell. */
  grpo: { config: string; args: Arguments } | null;
  /** All of it is taken. */
  whole: boolean;
}

/** What a cell says by its directives. @param number of the cell among the code cells, from 1 */
export function outlineOf({ source, tags }: NotebookCell, number: number): CellOutline {
  const cell: CellOutline = {
    statements: statementsOf(source),
    rewards: [],
    served: [],
    environment: null,
    grpo: null,
    whole: tags.includes('export') || /\brewardRegistry\b/.test(source),
  };
  const { comments, declared } = outline(source);
  const found = comments.flatMap((comment) =>
    comment.tags.flatMap((tag) => {
      const directive = directives.get(tag.name);
      if (!directive) return [];
      try {
        return [{ name: tag.name, comment, args: readArguments(directive, tag.text) }];
      } catch (problem) {
        throw new Error(`code cell ${number}: ${(problem as ArgumentProblem).message}`);
      }
    }),
  );
  for (const { name, comment, args } of found) {
    const { target, description } = comment;
    const repeated = found.filter((one) => one.name === name).length > 1;
    if (name === 'reward')
      for (const one of repeated ? target : declared)
        if (one.kind !== 'class') cell.rewards.push({ name: one.name, args });
    if (name === 'openenv') {
      const served = servedClass(target);
      const client = served && clientName(args, served, declared);
      if (served && client) cell.served.push({ className: served.name, client, description });
      cell.environment = client ?? declared.findLast(({ kind }) => kind !== 'class')?.name ?? null;
    }
    if (name === 'grpo') {
      const config = declared.findLast(({ kind }) => kind === 'const')?.name;
      if (!config) throw new Error(`code cell ${number}: @grpo found no configuration (const config: GRPOConfig = …)`);
      cell.grpo = { config, args };
    }
  }
  return cell;
}
