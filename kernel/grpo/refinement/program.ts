import { createHash } from 'node:crypto';
import type { EpisodeEnd } from '../../episodes/episode';

/** An episode that a program played, as a database keeps it: plain data. */
export interface Evaluation {
  /** Seed of the environment. */
  environmentSeed: number;
  /** Weighted sum of the rewards of the episode. */
  fitness: number;
  /** By the reward functions' names; `null` when one does not apply. */
  rewards: Record<string, number | null>;
  /** Undiscounted sum of the environment's rewards. */
  return: number;
  /** Number of steps of the episode. */
  steps: number;
  end: EpisodeEnd;
  /** Fraction of the steps that each action has, by its name; actions without any are left out. */
  actionShares: Record<string, number>;
  /** Equal for two episodes exactly when their seed, all their actions and their end are. */
  trace: string;
}

/** A strategy in a {@link ProgramDatabase}: plain data, never changed in place. */
export interface Program {
  id: number;
  /** The source, with `\n` as line breaks and without spaces at the ends of lines. */
  code: string;
  /** The program that it is an edit of; `null`: it was written from nothing. */
  parent: number | null;
  /** Generation that made it, from 0; −1: it was given. */
  generation: number;
  /** Islands that it is on. */
  islands: number[];
  /** Oldest first. */
  evaluations: Evaluation[];
  /** A rough description of its behaviour: programs of one cell behave alike. */
  cell: string;
  /** Fitness of its first episode less the worth of its parent at that time; `null` without a parent. */
  gain: number | null;
}

/** Returns a source in the form of {@link Program.code}. */
export function canonicalCode(code: string): string {
  return code
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+$/gm, '')
    .replace(/^\n+|\n+$/g, '');
}

/** Returns a text that is equal for two sources that differ only in blanks and line breaks. */
export function codeKey(code: string): string {
  return createHash('sha256').update(code.replace(/\s+/g, '')).digest('hex').slice(0, 16);
}

/** Returns the fitness of each episode. */
export function fitnessOf({ evaluations }: Pick<Program, 'evaluations'>): number[] {
  return evaluations.map(({ fitness }) => fitness);
}
