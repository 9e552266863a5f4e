import type { MimeBundle } from '../display/host';
import { environmentBundle, type CardContent, type CardOptions } from './card/card';

/** The base of all that `openenv` gives: the card, which is also shown where it is displayed. */
export abstract class OpenedEnvironment {
  /** Returns what the card shows beside what chance gets. */
  protected abstract cardContent(): Promise<CardContent>;

  /** The card: what it is, its actions, what strategies see, the first frame where there are pictures, and what chance gets where that was measured. */
  async card({ reference }: CardOptions = {}): Promise<MimeBundle> {
    return environmentBundle({ ...(await this.cardContent()), reference });
  }

  [Symbol.for('Jupyter.display')](): Promise<MimeBundle> {
    return this.card();
  }
}
