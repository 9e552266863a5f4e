/** Why a test cannot run where a package registry cannot be reached; any other failure is thrown. */
export function unreachable(error: unknown): string {
  const { message } = error as Error;
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|network|NewConnectionError/.test(message))
    return `the package registry cannot be reached: ${message}`;
  throw error;
}
