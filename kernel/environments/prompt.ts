import type { EnvironmentSchema } from '../openenv/protocol';
import { schemaPrompt } from '../schema/prompt';

/** A variable of the state in a prompt. */
export interface PromptVariable {
  name: string;
  /** Smallest and largest value; the prompt has a range only when both are finite. */
  minimum?: number;
  maximum?: number;
}

/** A list of numbers in the state in a prompt: `state.ram`. */
export interface PromptArray extends Required<PromptVariable> {
  length: number;
  description: string;
}

/** An environment in a prompt: its name, the variables that a strategy reads, the actions that it may return. */
export interface PromptSubject {
  name: string;
  stateVariables?: readonly PromptVariable[];
  actions: readonly string[];
  /** Lists of numbers in the state; the prompt has them when there are no variables. */
  readonly stateArrays?: readonly PromptArray[];
  /** JSON Schemas, if the environment has any; the prompt has their fields, with types, ranges and descriptions. */
  readonly schemas?: EnvironmentSchema | null;
  /** The environment in a sentence; the prompt has it only with schemas. */
  readonly description?: string;
}

/**
 * Returns the prompt that asks a model for a `strategy(state)` function:
 *
 * ```text
 * Write a short TypeScript function strategy(state) that plays breakout.
 * The state:
 * state.ball_x from 0 to 159
 * state.paddle_x from 0 to 159
 * It returns one action: "NOOP", "RIGHT", "LEFT".
 * Variables outside the function keep their values between calls.
 * ```
 *
 * The prompt of an environment with schemas has their fields:
 *
 * ```text
 * Write a short TypeScript function strategy(state) that plays 2048.
 * Slide and merge tiles until one shows 2048.
 * The state:
 * state.board, array of 16 integers ≥ 0: 16 tile values, row by row from the top left, 0 for an empty cell.
 * It returns one action: "UP", "RIGHT", "DOWN", "LEFT".
 * Variables outside the function keep their values between calls.
 * ```
 *
 * #### Notes
 * The strategist (`kernel/models/strategist`) is pre-trained on prompts of
 * exactly this form. Larger models understand other wordings, too.
 *
 * @param subject an environment, or a plain object with the same fields
 */
export function strategyPrompt(subject: PromptSubject): string {
  return [...subjectLines(subject), 'Variables outside the function keep their values between calls.'].join('\n');
}

function subjectLines(subject: PromptSubject): string[] {
  const { name, stateVariables = [], stateArrays = [], actions, schemas } = subject;
  const lines = [`Write a short TypeScript function strategy(state) that plays ${name}.`];
  if (schemas) return [...lines, ...schemaPrompt({ name, description: subject.description, schemas, actions })];
  if (stateVariables.length > 0 || stateArrays.length > 0) lines.push('The state:');
  for (const variable of stateVariables) lines.push(`state.${variable.name}${range(variable)}`);
  if (stateVariables.length === 0) {
    for (const { name, length, description, ...bounds } of stateArrays)
      lines.push(`state.${name}, ${length} numbers${range(bounds)}: ${description}`);
  }
  lines.push(
    actions.length > 0
      ? `It returns one action: ${actions.map((action) => `"${action}"`).join(', ')}.`
      : 'It returns an action, an object.',
  );
  return lines;
}

function range({ minimum, maximum }: Omit<PromptVariable, 'name'>): string {
  return Number.isFinite(minimum) && Number.isFinite(maximum) ? ` from ${minimum} to ${maximum}` : '';
}
