import { createHash } from 'node:crypto';
import type { EpisodeEnd } from '../../episodes/episode';

/** An episode that a program played, as a database keeps it: plain data. */
export interface Evaluation {
  environmentSeed: number;
  /** Weighted sum of what the reward functions gave the episode. */
  fitness: number;
  /** By the reward functions' names; `null` where one does not apply. */
  rewards: Record<string, number | null>;
  return: number;
  steps: number;
  end: EpisodeEnd;
  /** Part of the steps that each action had, those without left out. */
  actionShares: Record<string, number>;
  /** Equal for two episodes of one start exactly where all their actions are. */
  trace: string;
}

/** A strategy in a {@link ProgramDatabase}: plain data, never changed in place. */
export interface Program {
  id: number;
  /** The source, its lines ended by `\n` and without spaces at their ends. */
  code: string;
  /** The program that it is an edit of; `null`: it was written from nothing. */
  parent: number | null;
  /** Generation that made it, from 0; −1: it was given. */
  generation: number;
  /** Islands that it lives on. */
  islands: number[];
  /** Oldest first. */
  evaluations: Evaluation[];
  /** A rough description of its behaviour: programs of one cell behave alike. */
  cell: string;
  /** Fitness of its first episode less the worth of its parent at that time; `null` without a parent. */
  gain: number | null;
}

/** Returns the source as programs keep it. */
export function canonicalCode(code: string): string {
  return code
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+$/gm, '')
    .replace(/^\n+|\n+$/g, '');
}

/** Returns a text that is equal for two sources that differ in blanks and line breaks alone. */
export function codeKey(code: string): string {
  return createHash('sha256').update(code.replace(/\s+/g, '')).digest('hex').slice(0, 16);
}

/** Returns the fitness of each episode. */
export function fitnessOf({ evaluations }: Pick<Program, 'evaluations'>): number[] {
  return evaluations.map(({ fitness }) => fitness);
}
