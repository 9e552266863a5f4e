import type { MimeBundle } from '../display/cellContext';
import type { SessionCount } from '../display/overview';
import { environmentBundle, type CardContent, type CardOptions } from './card/card';
import { SESSIONS, type CountsSessions } from './sessionCount';

/** The base of all environments that `openenv` returns. An environment is displayed as its card. */
export abstract class OpenedEnvironment implements CountsSessions {
  /** Returns the content of the card without the reference returns. */
  protected abstract cardContent(): Promise<CardContent>;

  /** Returns the MIME bundle of the card: name, actions, state, the first frame if there are pictures, and `reference`, the returns of random actions, if they are given. */
  async card({ reference, measuring }: CardOptions = {}): Promise<MimeBundle> {
    return environmentBundle({ ...(await this.cardContent()), reference, measuring });
  }

  abstract [SESSIONS](): SessionCount | null;

  [Symbol.for('Jupyter.display')](): Promise<MimeBundle> {
    return this.card();
  }
}
