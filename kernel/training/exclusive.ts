/** Lets a trainer do one thing at a time, until it is disposed of. */
export class Exclusive {
  private working = false;
  private ended = false;

  /** @param name name of the trainer, for errors */
  constructor(private readonly name: string) {}

  /** Does `work`, unless something is being done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.ended)
      throw new Error(`This trainer was disposed of. Make a new ${this.name}, from a checkpoint if there is one.`);
    if (this.working) throw new Error('This trainer is training already: interrupt it first.');
    this.working = true;
    try {
      return await work();
    } finally {
      this.working = false;
    }
  }

  /** Does nothing from now on. */
  end(): void {
    this.ended = true;
  }
}
