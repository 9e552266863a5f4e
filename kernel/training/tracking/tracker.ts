import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../common/packagePaths';
import type { Metrics } from '../metricsBuffer';
import { trackerPython } from './python';
import type { TrackerName } from './trackers';

/** A run, as trackers introduce it. */
export interface TrackedRun {
  project: string;
  name: string;
  /** The same when the run goes on later. */
  id: string;
  /** Its settings, and what it trains on. */
  config: object;
}

/** Milliseconds that a client has to write what it still holds. */
const FINISH_WITHIN = 30_000;

/**
 * The client of a tracker, in a Python of its own: Trackio and Weights & Biases
 * have clients in Python only, and those alone know their files.
 *
 * #### Notes
 * Nothing of it ever fails a run: its first problem is printed, and it is left
 * alone after that. It finishes when the kernel ends, however that ends.
 */
export class Tracker {
  private readonly child: ChildProcess | null;
  private told = false;

  /** Starts the client, and does not wait for it. */
  constructor(
    readonly tracker: TrackerName,
    run: TrackedRun,
  ) {
    this.child = this.start();
    this.send(run);
  }

  /** Logs an entry of the log at its step. */
  log(metrics: Metrics, step: number): void {
    this.send({ metrics, step });
  }

  /** Ends the run, and waits until the client has written all of it. */
  async finish(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.stdin!.end();
    const late = setTimeout(() => {
      this.problem(`it had not written everything after ${FINISH_WITHIN / 1000} seconds`);
      child.kill('SIGKILL');
    }, FINISH_WITHIN);
    await once(child, 'exit');
    clearTimeout(late);
  }

  private start(): ChildProcess | null {
    try {
      const script = join(packageRoot, 'kernel', 'training', 'tracking', 'tracker.py');
      // Detached: an interrupt pauses the run, which the tracker outlives.
      const child = spawn(trackerPython(this.tracker), [script, this.tracker], {
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
        windowsHide: true,
      });
      child.once('error', ({ message }) => this.problem(message));
      child.once('exit', (code, signal) => {
        if (code !== 0) this.problem(`its client ended (${signal ?? `exit code ${code}`})`);
      });
      child.stdin.on('error', () => undefined);
      createInterface(child.stdout).on('line', (line) => this.answered(line));
      // A run that is left paused does not keep a program alive.
      child.unref();
      return child;
    } catch (error) {
      this.problem((error as Error).message);
      return null;
    }
  }

  private send(message: object): void {
    if (this.child?.stdin?.writable) this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  private answered(line: string): void {
    const { place, local, problem } = JSON.parse(line) as { place?: string; local?: boolean; problem?: string };
    if (problem !== undefined) this.problem(problem);
    else
      console.log(
        `${this.tracker}: ${local ? `logged on this machine; ${place} in a terminal` : `logged to ${place}`}`,
      );
  }

  private problem(text: string): void {
    if (this.told) return;
    this.told = true;
    const sentence = text.replace(/\s+/g, ' ').replace(/\.$/, '');
    console.warn(`reportTo: '${this.tracker}' does not have all of this run, which goes on: ${sentence}.`);
  }
}
