import type { TrainingControl } from '../../display/mime';
import type { RunRow } from '../../display/overview';
import { knownRuns } from '../../display/training/training';

/** Points of a run's curve, at most. */
const POINTS = 60;

/** Returns a row for each run of the kernel, the newest first. */
export function runRows(): RunRow[] {
  return knownRuns().map(({ data }) => {
    const { runId, status, step, maxSteps, cellResumes, rollouts, log } = data;
    const rewards = log.map(({ reward }) => reward).filter((reward) => Number.isFinite(reward));
    const every = Math.ceil(rewards.length / POINTS);
    return {
      runId,
      status,
      step,
      maxSteps,
      cellResumes,
      rollouts,
      reward: rewards.at(-1) ?? null,
      // Counted from the end, so that the newest is among them.
      rewards: rewards.filter((_, i) => (rewards.length - 1 - i) % every === 0),
    };
  });
}

/** Does what a button of a run asks for. */
export function controlRun(runId: string, control: TrainingControl): void {
  const run = knownRuns().find(({ data }) => data.runId === runId);
  if (!run?.control) throw new Error('The kernel does not know this run any more: run its cell to train again.');
  run.control(control);
}
