/**
 * Returns the key in an environment variable.
 *
 * @throws Error when the variable is not set, or has what no header can have
 */
export function keyOfEnvironment(variable: string): string {
  const key = process.env[variable]?.trim();
  if (!key)
    throw new Error(
      `The environment variable ${variable} is not set: set it to the key before Jupyter or the command starts, or leave apiKeyEnv out where no key is needed.`,
    );
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new Error(
      `The environment variable ${variable} has spaces or signs that no key has: set it to the key alone.`,
    );
  return key;
}
