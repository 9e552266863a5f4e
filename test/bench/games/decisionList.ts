/*
 * Decision lists: the programs that random edits are made of, as data and as
 * the text of a strategy.
 *
 *   let before;
 *   function strategy(state) {
 *     const last = before ?? state;
 *     before = state;
 *     if (state.ball_x + 2 * (state.ball_x - last.ball_x) < state.paddle_x - 3) return "LEFT";
 *     return "RIGHT";
 *   }
 */

/** A number in a strategy's state. */
export interface NumberVariable {
  /** Its path in `state`: "ball_x", "board[3]". */
  name: string;
  minimum: number;
  maximum: number;
  /** Whether it is always a whole number. */
  whole: boolean;
}

/** A variable of a strategy's state that has one of a few values. */
export interface ChoiceVariable {
  name: string;
  values: Array<string | boolean>;
}

/** Variables and actions of which programs are made. */
export interface EditorTask {
  variables: Array<NumberVariable | ChoiceVariable>;
  /** What a strategy may return, as source: `"LEFT"`, `{ row: 2 }`. */
  actions: string[];
}

/** The value of a variable, its change since the last call, or its value after `steps` calls if it keeps changing so. */
export interface Term {
  /** Index of the task's variable. */
  variable: number;
  kind: 'value' | 'change' | 'prediction';
  steps: number;
}

/** `left < right + offset`, or `left < offset` without `right`. */
export interface Comparison {
  left: Term;
  operator: '<' | '>';
  right: Term | null;
  offset: number;
}

/** Whether a variable has a value, or does not. */
export interface Equality {
  variable: number;
  value: string | boolean;
  equal: boolean;
}

export type Condition = Comparison | Equality;

/** `if (a && b) return action`. */
export interface Rule {
  conditions: Condition[];
  /** Index of the task's action. */
  action: number;
}

/** Rules of which the first that holds decides. */
export interface DecisionList {
  rules: Rule[];
  otherwise: number;
}

export const MAXIMUM_RULES = 8;
export const MAXIMUM_CONDITIONS = 3;

/**
 * Returns the same decisions without redundant parts: conditions that a rule has
 * twice, rules that hold only where an earlier one does, and last rules with the
 * action of `otherwise`.
 */
export function tidied({ rules, otherwise }: DecisionList): DecisionList {
  const kept: Array<{ rule: Rule; keys: Set<string> }> = [];
  for (const { conditions, action } of rules) {
    const byKey = new Map(conditions.map((condition) => [JSON.stringify(condition), condition]));
    if (kept.some(({ keys }) => [...keys].every((key) => byKey.has(key)))) continue;
    kept.push({ rule: { conditions: [...byKey.values()], action }, keys: new Set(byKey.keys()) });
  }
  while (kept.at(-1)?.rule.action === otherwise) kept.pop();
  return { rules: kept.map(({ rule }) => rule), otherwise };
}

/** Returns the source of a decision list. Only one with changes keeps the last state. */
export function decisionList({ rules, otherwise }: DecisionList, { variables, actions }: EditorTask): string {
  const names = variables.map(({ name }) => name);
  const lines = rules.map(
    ({ conditions, action }) =>
      `  if (${conditions.map((it) => conditionText(it, names)).join(' && ')}) return ${actions[action]};`,
  );
  const body = [...lines, `  return ${actions[otherwise]};`, '}'];
  if (!lines.some((line) => line.includes('last.'))) return ['function strategy(state) {', ...body].join('\n');
  return [
    'let before;',
    'function strategy(state) {',
    '  const last = before ?? state;',
    '  before = state;',
    ...body,
  ].join('\n');
}

function conditionText(condition: Condition, names: string[]): string {
  if ('value' in condition)
    return `state.${names[condition.variable]} ${condition.equal ? '===' : '!=='} ${JSON.stringify(condition.value)}`;
  const { left, operator, right, offset } = condition;
  const sum = right ? termText(right, names) + (offset === 0 ? '' : signed(offset)) : String(offset);
  return `${termText(left, names)} ${operator} ${sum}`;
}

function termText({ variable, kind, steps }: Term, names: string[]): string {
  const [now, change] = [`state.${names[variable]}`, `state.${names[variable]} - last.${names[variable]}`];
  if (kind === 'value') return now;
  if (kind === 'change') return change;
  const factor = Math.abs(steps) === 1 ? '' : `${Math.abs(steps)} * `;
  return `${now} ${steps < 0 ? '-' : '+'} ${factor}(${change})`;
}

function signed(value: number): string {
  return value < 0 ? ` - ${-value}` : ` + ${value}`;
}
