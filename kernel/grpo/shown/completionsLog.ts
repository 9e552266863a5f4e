import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { completionsBundle, type CompletionRow } from '../../display/training/completions';
import { cellContext } from '../../display/cellContext';
import { deriveSeed, permutation } from '../../training/seeds';
import type { ResolvedConfig } from '../config';
import type { Scored } from '../rollouts/generations';

/** The completions that a step learned from, with their rewards: TRL's completions table. */
export class CompletionsLog {
  private rows: CompletionRow[] = [];
  private fails = false;
  private displayId: string | null = null;

  /** @param tell shows what cannot be written, in a sentence; `null` once it can */
  constructor(private readonly tell: (problem: string | null) => void) {}

  /** Keeps the newest completions. */
  keep(generations: readonly Scored[]): void {
    this.rows = generations.flatMap(({ samples, table, advantages, extra }) =>
      samples.map(({ prompt, completion }, i) => ({
        prompt,
        completion,
        rewards: Object.fromEntries(table.names.map((name, f) => [name, table.values[f][i]])),
        advantage: advantages[i],
        extra: Object.fromEntries([...extra].map(([column, values]) => [column, values[i] ?? null])),
      })),
    );
  }

  clear(): void {
    this.rows = [];
    this.displayId = null;
  }

  /** Shows the table, in place of the one before; in a terminal, below it. With `outputDir` also writes it. */
  show(step: number, config: ResolvedConfig): void {
    if (this.rows.length === 0) return;
    if (config.outputDir !== null) this.write(step, config.outputDir);
    const update = this.displayId !== null && !cellContext().console;
    this.displayId ??= randomUUID();
    cellContext().display(completionsBundle(step, this.selection(step, config)), { displayId: this.displayId, update });
  }

  private selection(step: number, { numCompletionsToPrint, logUniquePrompts, seed }: ResolvedConfig): CompletionRow[] {
    const prompts = this.rows.map(({ prompt }) => prompt);
    const rows = logUniquePrompts ? this.rows.filter(({ prompt }, i) => prompts.indexOf(prompt) === i) : this.rows;
    if (numCompletionsToPrint === null || numCompletionsToPrint >= rows.length) return rows;
    const drawn = permutation(rows.length, deriveSeed(seed, 'completions', step)).slice(0, numCompletionsToPrint);
    return drawn.sort((a, b) => a - b).map((i) => rows[i]);
  }

  /** Writes JSON lines, which pandas and datasets read. When that fails, it says so, and the run goes on. */
  private write(step: number, outputDir: string): void {
    const lines = this.rows.map(({ prompt, completion, rewards, extra, advantage }) =>
      JSON.stringify({ step, prompt, completion, ...rewards, ...extra, advantage }),
    );
    const file = join(outputDir, 'completions', `completions_${String(step).padStart(5, '0')}.jsonl`);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, lines.join('\n') + '\n');
      if (this.fails) this.tell(null);
      this.fails = false;
    } catch (error) {
      this.fails = true;
      this.tell(
        `The completions of step ${step} could not be written to ${file}: ${(error as Error).message}. The run goes on, and the next step tries again.`,
      );
    }
  }
}
