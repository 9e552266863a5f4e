/**
 * Jinja as chat templates use it: with Python's values, so that everything is
 * written as transformers writes it, or is an error; and with limits, as
 * templates come with models from elsewhere.
 *
 * It follows Jinja 3.1 with the settings, filters and functions that
 * transformers gives to chat templates.
 */
import type { Statement } from './syntax/ast';
import { withBudget } from './budget';
import { TemplateError } from './errors';
import { globals } from './globals';
import { render, type Rendered } from './interpreter';
import { parse } from './syntax/parser';
import { Scope } from './scope';
import { toPython } from './values';

export { RaisedByTemplate, TemplateError } from './errors';
export type { Rendered } from './interpreter';

/** A template that was parsed; it can be rendered many times. */
export class Template {
  private readonly body: readonly Statement[];

  /** @throws TemplateError where the text is no template */
  constructor(text: string) {
    this.body = withinStack(() => parse(text));
  }

  /** @throws TemplateError where the template fails, or does more than a template may */
  render(variables: Record<string, unknown>): Rendered {
    // Data has a budget of its own: however much there is, the template may do as much.
    const around = withBudget(() => contextOf(variables));
    return withinStack(() => withBudget(() => render(this.body, new Scope(around))));
  }
}

/** Returns the variables of a template besides those that it defines. */
function contextOf(variables: Record<string, unknown>): Scope {
  const scope = new Scope();
  for (const [name, value] of globals()) scope.set(name, value);
  for (const [name, value] of Object.entries(variables))
    if (value !== undefined) scope.set(name, toPython(value, `the template's variable ${name}`));
  return scope;
}

/** Throws a {@link TemplateError} for values that are nested too deeply: the overflow of the stack by which they end is no harm. */
function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('call stack'))
      throw new TemplateError('the template, or a value that it makes, is nested too deeply');
    throw error;
  }
}
