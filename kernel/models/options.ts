import { adviceOnName } from '../nearest';

/** The options that a function of the library takes. */
export interface OptionTable {
  /** What people call the function: 'getPeftModel'. */
  owner: string;
  /** A correct use, for the error message: '{ r: 16 }'. */
  example: string;
  /** Every valid name. A record, so that the compiler finds one that is missing. */
  names: Readonly<Record<string, true>>;
  /** By name: what an option that others have is called here, or why it is missing. */
  elsewhere?: Readonly<Record<string, string>>;
}

/**
 * Checks the names of options as a user gave them: one that is misspelt would
 * be ignored, and the default taken instead.
 *
 * @throws TypeError for an unknown name, with the nearest valid one
 */
export function checkOptions({ owner, example, names, elsewhere = {} }: OptionTable, given: object | undefined): void {
  if (given === undefined) return;
  if (given === null || typeof given !== 'object')
    throw new TypeError(`the options of ${owner} are an object: ${example}`);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const advice = Object.hasOwn(elsewhere, camel)
      ? `: ${elsewhere[camel]}`
      : `. ${adviceOnName(camel, Object.keys(names), 'options')}`;
    throw new TypeError(`${owner} has no option ${name}${advice}`);
  }
}

/** The same reason for several names. */
export function because(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
