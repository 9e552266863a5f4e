import type { TrainingData } from '../../kernel/display/mime';

/** How the way to the kernel is: lost since a time, or back after some seconds. */
export type Connection = { since: number } | { back: number } | null;

/** Returns what went wrong around a run and what follows from it, a sentence each. @param others other pages that show it */
export function sentences(data: TrainingData, connection: Connection, others: number): string[] {
  const problems = Object.values(data.problems ?? {}).filter((text) => text !== undefined && text !== null);
  if (data.status === 'lost') return [lost(data)];
  const live = data.status === 'running' || data.status === 'paused';
  return [...(connection ? [way(connection)] : []), ...problems, ...(live && others > 0 ? [OPEN_TWICE] : [])];
}

const OPEN_TWICE =
  'This notebook is open in another tab, too: both show the run and can pause, stop and save it, and where JupyterLab says that the file has changed, nothing of the run is lost by either choice.';

function lost({ step, checkpoint }: TrainingData): string {
  const ended = `The kernel ended after step ${step}, and what is shown here is kept`;
  if (!checkpoint)
    return `${ended}, but not what the model has learned: run the notebook again to train from the start, with outputDir and saveSteps for checkpoints that survive.`;
  return `${ended}: run the cells above and this one with resumeFromCheckpoint: true, and the training goes on after step ${checkpoint.step}, from ${checkpoint.folder}.`;
}

function way(connection: NonNullable<Connection>): string {
  if ('back' in connection)
    return `The connection was gone for ${Math.round(connection.back)} s; what happened meanwhile is here.`;
  const time = new Date(connection.since).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return `No connection to the kernel since ${time}: the run goes on there, and what is missing here comes when the connection is back.`;
}
