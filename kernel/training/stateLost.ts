/** Weights and optimizer are gone, and with them what was learned since the last checkpoint. */
export class StateLost extends Error {
  override readonly name = 'StateLost';

  /** @param restart what a run that has no checkpoint begins again with, in words */
  constructor(
    message: string,
    readonly restart: string,
  ) {
    super(message);
  }
}

/**
 * Returns the error with what the loss means for a run.
 *
 * @param step steps made
 * @param checkpoint the last one
 */
export function lossOf(error: StateLost, step: number, checkpoint: { folder: string; step: number } | null): StateLost {
  const lost = step - (checkpoint?.step ?? 0);
  const steps = lost === 0 ? 'No step is lost' : lost === 1 ? 'One step is lost' : `${lost} steps are lost`;
  const next = checkpoint
    ? `goes on after step ${checkpoint.step}, from ${checkpoint.folder}`
    : `begins again with ${error.restart}; outputDir and saveSteps keep what is learned`;
  return new StateLost(`${error.message}\n${steps}. Run the training again, and it ${next}.`, error.restart);
}
