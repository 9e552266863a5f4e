/** Returns why a test is skipped where a package registry cannot be reached. Throws any other error. */
export function unreachable(error: unknown): string {
  const { message } = error as Error;
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|network|NewConnectionError/.test(message))
    return `the package registry cannot be reached: ${message}`;
  throw error;
}
