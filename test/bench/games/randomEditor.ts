import { RandomSource } from '../../../kernel/openenv/serving/randomSource';
import {
  decisionList,
  tidied,
  MAXIMUM_CONDITIONS,
  MAXIMUM_RULES,
  type Comparison,
  type Condition,
  type DecisionList,
  type EditorTask,
  type NumberVariable,
  type Rule,
  type Term,
} from './decisionList';

/** Largest number of steps that a term looks ahead, or back. */
const FARTHEST = 8;
/** Probability that another edit follows an edit. */
const ANOTHER_EDIT = 0.4;
/** Probability that an edit takes rules from another program, where one is given. */
const CROSSOVER = 0.3;

/**
 * Writes and edits programs at random: the baseline without a model. Programs are
 * decision lists that compare variables of the state, their changes and predictions;
 * an edit changes rules, conditions, terms and numbers, or joins the rules of two
 * programs. It knows names and ranges, nothing of any game.
 */
export class RandomEditor {
  /** Random numbers of the current program. */
  private random = new RandomSource(0);
  /** Programs that it has written, by their text. */
  private readonly written = new Map<string, DecisionList>();
  /** Indices of number variables by their range: those of one range are compared with each other. */
  private readonly comparable = new Map<string, number[]>();
  private readonly numbers: number[];
  private readonly choices: number[];

  constructor(private readonly task: EditorTask) {
    if (task.actions.length < 2) throw new RangeError('A random editor needs two actions at least to choose from.');
    if (task.variables.length === 0) throw new RangeError('A random editor needs a variable at least to look at.');
    const positions = task.variables.map((_, i) => i);
    this.choices = positions.filter((i) => 'values' in task.variables[i]);
    this.numbers = positions.filter((i) => !this.choices.includes(i));
    for (const i of this.numbers) {
      const key = this.rangeOf(i);
      this.comparable.set(key, [...(this.comparable.get(key) ?? []), i]);
    }
  }

  /** Returns a new program. */
  fresh(seed: number): string {
    this.random = new RandomSource(seed);
    const rules = Array.from({ length: this.random.int(1, 4) }, () => this.rule());
    return this.write(tidied({ rules, otherwise: this.action() }));
  }

  /** Returns a program that differs from `parent` by a few edits. */
  edit(parent: string, seed: number, other?: string): string {
    this.random = new RandomSource(seed);
    const original = this.read(parent);
    const second = other === undefined || other === parent ? undefined : this.read(other);
    for (let attempt = 0; attempt < 20; attempt++) {
      let program = structuredClone(original);
      if (second && this.chance(CROSSOVER)) program = this.crossed(program, structuredClone(second));
      else
        do this.change(program);
        while (this.chance(ANOTHER_EDIT));
      program = tidied(program);
      if (decisionList(program, this.task) !== parent) return this.write(program);
    }
    return this.fresh(seed);
  }

  private read(code: string): DecisionList {
    const program = this.written.get(code);
    if (!program) throw new RangeError('A random editor edits programs that it has written itself.');
    return program;
  }

  private write(program: DecisionList): string {
    const text = decisionList(program, this.task);
    this.written.set(text, program);
    return text;
  }

  /** Returns a program of the first rules of one, then the last of another. */
  private crossed(first: DecisionList, second: DecisionList): DecisionList {
    const head = first.rules.slice(0, this.random.int(0, first.rules.length));
    const tail = second.rules.slice(this.random.int(0, second.rules.length));
    return { rules: [...head, ...tail].slice(0, MAXIMUM_RULES), otherwise: second.otherwise };
  }

  /** Makes one edit in place. Some change nothing: then the caller tries again. */
  private change(program: DecisionList): void {
    const { rules } = program;
    const edit = this.random.next();
    if (rules.length === 0 || (edit < 0.12 && rules.length < MAXIMUM_RULES))
      rules.splice(this.random.int(0, rules.length), 0, this.rule());
    else if (edit < 0.2) rules.splice(this.position(rules), 1);
    else if (edit < 0.25) this.swap(rules);
    else if (edit < 0.37 && rules.length < MAXIMUM_RULES) this.specialise(rules);
    else if (edit < 0.49) this.changeAction(program);
    else this.changeConditions(rules[this.position(rules)]);
  }

  private swap(rules: Rule[]): void {
    const [i, j] = [this.position(rules), this.position(rules)];
    [rules[i], rules[j]] = [rules[j], rules[i]];
  }

  /** Puts a copy of a rule before it, with one more condition and another action. */
  private specialise(rules: Rule[]): void {
    const position = this.position(rules);
    const conditions = structuredClone(rules[position].conditions);
    if (conditions.length < MAXIMUM_CONDITIONS) conditions.push(this.condition());
    else conditions[this.position(conditions)] = this.condition();
    rules.splice(position, 0, { conditions, action: this.action() });
  }

  private changeAction(program: DecisionList): void {
    const position = this.random.int(0, program.rules.length);
    if (position === program.rules.length) program.otherwise = this.action();
    else program.rules[position].action = this.action();
  }

  private changeConditions({ conditions }: Rule): void {
    const position = this.position(conditions);
    const edit = this.random.next();
    if (edit < 0.18 && conditions.length < MAXIMUM_CONDITIONS) conditions.push(this.condition());
    else if (edit < 0.3 && conditions.length > 1) conditions.splice(position, 1);
    else if (edit < 0.42) conditions[position] = this.condition();
    else conditions[position] = this.changed(conditions[position]);
  }

  private changed(condition: Condition): Condition {
    if ('value' in condition)
      return this.chance(0.5)
        ? { ...condition, value: this.valueOf(condition.variable) }
        : { ...condition, equal: !condition.equal };
    const { left, operator, right, offset } = condition;
    const edit = this.random.next();
    if (edit < 0.5) return { ...condition, offset: this.nudged(left, right, offset) };
    if (edit < 0.58) return { ...condition, operator: operator === '<' ? '>' : '<' };
    const side = right && this.chance(0.5) ? 'right' : 'left';
    const term = condition[side]!;
    return {
      ...condition,
      [side]: this.chance(0.6)
        ? { ...term, ...this.view() }
        : { ...term, variable: this.random.choice(this.alike(term.variable)) },
    };
  }

  private rule(): Rule {
    const conditions = [this.condition()];
    while (conditions.length < MAXIMUM_CONDITIONS && this.chance(0.3)) conditions.push(this.condition());
    return { conditions, action: this.action() };
  }

  private condition(): Condition {
    if (this.numbers.length === 0 || this.chance(this.choices.length / this.task.variables.length)) {
      const variable = this.random.choice(this.choices);
      return { variable, value: this.valueOf(variable), equal: this.chance(0.7) };
    }
    return this.comparison();
  }

  /** Returns a comparison of a variable with another of its range, with a number, or of its change with a number. */
  private comparison(): Comparison {
    const variable = this.random.choice(this.numbers);
    const others = this.alike(variable).filter((i) => i !== variable);
    const operator = this.chance(0.5) ? '<' : '>';
    const kind = this.random.next();
    if (others.length > 0 && kind < 0.65) {
      const [left, right] = [
        { variable, ...this.view() },
        { variable: this.random.choice(others), ...this.view() },
      ];
      return { left, operator, right, offset: this.chance(0.4) ? 0 : this.nudged(left, right, 0) };
    }
    const left: Term = kind > 0.85 ? { variable, kind: 'change', steps: 1 } : { variable, ...this.view() };
    return {
      left,
      operator,
      right: null,
      offset: left.kind === 'change' ? this.nudged(left, null, 0) : this.within(this.number(variable)),
    };
  }

  /** Returns how a term reads its variable: mostly its value, else its change or a prediction. */
  private view(): Omit<Term, 'variable'> {
    if (this.chance(0.6)) return { kind: 'value', steps: 0 };
    if (this.chance(0.1)) return { kind: 'change', steps: 1 };
    const steps = this.random.int(1, FARTHEST);
    return { kind: 'prediction', steps: this.chance(0.15) ? -steps : steps };
  }

  /** Returns a number near another, by a small or large step relative to the range of its variable. */
  private nudged(left: Term, right: Term | null, offset: number): number {
    const { minimum, maximum } = this.number(left.variable);
    const change = left.kind === 'change' && (!right || right.kind === 'change');
    const scale = ((maximum - minimum) / (change ? 40 : 12)) * (this.chance(0.5) ? 0.3 : 1);
    return this.rounded(offset + scale * this.normal(), this.number(left.variable));
  }

  private within(variable: NumberVariable): number {
    const { minimum, maximum } = variable;
    return this.rounded(minimum + (maximum - minimum) * this.random.next(), variable);
  }

  /** Returns a value rounded: whole where the variable is, else to two digits of its range. */
  private rounded(value: number, { minimum, maximum, whole }: NumberVariable): number {
    return whole
      ? Math.round(value)
      : Number(value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(maximum - minimum)))));
  }

  private alike(variable: number): number[] {
    return this.comparable.get(this.rangeOf(variable))!;
  }

  private rangeOf(variable: number): string {
    const { minimum, maximum } = this.number(variable);
    return `${minimum} ${maximum}`;
  }

  private number(variable: number): NumberVariable {
    return this.task.variables[variable] as NumberVariable;
  }

  private valueOf(variable: number): string | boolean {
    const { values } = this.task.variables[variable] as { values: Array<string | boolean> };
    return this.random.choice(values);
  }

  private action(): number {
    return this.random.int(0, this.task.actions.length - 1);
  }

  private position(list: readonly unknown[]): number {
    return this.random.int(0, list.length - 1);
  }

  private chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** Returns a normally distributed number (Box and Muller). */
  private normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.random.next())) * Math.cos(2 * Math.PI * this.random.next());
  }
}
