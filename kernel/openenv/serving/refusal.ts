import type { OpenEnvErrorCode } from '../errors';

/** Why a server gives no session. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: OpenEnvErrorCode,
    message: string,
    /** What clients are told along. */
    readonly data: Record<string, unknown> = {},
  ) {
    super(message);
  }
}
