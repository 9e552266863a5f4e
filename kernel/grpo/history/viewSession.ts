import { resolve } from 'node:path';
import type { Comm } from '../../display/cellContext';
import type { RolloutsAnswer, RolloutsRequest } from '../../display/rollouts';
import { RolloutReader } from './reader';
import { replayKept, type Replay } from './replay';

/** A view that reads a file of rollouts over a comm. */
export class RolloutsSession {
  private reader: RolloutReader | null = null;
  private readonly abort = new AbortController();
  /** Replays are made one after another: a view may ask for those of a whole group. */
  private replays: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly comm: Comm,
    private readonly database: string,
  ) {
    comm.onMessage((request: RolloutsRequest) => void this.answer(request));
    comm.onClose(() => this.close());
  }

  private async answer(request: RolloutsRequest): Promise<void> {
    const { id } = request;
    try {
      const { result, buffers } = await this.result(request);
      this.send({ id, result }, buffers);
    } catch (error) {
      this.send({ id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  private send(answer: RolloutsAnswer, buffers: Uint8Array[] = []): void {
    if (!this.abort.signal.aborted) this.comm.send(answer, buffers);
  }

  private async result(
    request: RolloutsRequest,
  ): Promise<{ result: Extract<RolloutsAnswer, { result: unknown }>['result']; buffers?: Uint8Array[] }> {
    const reader = (this.reader ??= RolloutReader.open(resolve(this.database)));
    switch (request.method) {
      case 'runs':
        return { result: reader.runs() };
      case 'run':
        return { result: reader.run(request.run) };
      case 'group':
        return { result: reader.group(request.run, request.step) };
      case 'rollout':
        return { result: reader.rollout(request.rollout) };
      case 'related':
        return { result: reader.related(request.rollout) };
      case 'search':
        return { result: reader.search(request.run, request.text) };
      case 'replay': {
        const { data, frames } = await this.replay(reader, request);
        return { result: data, buffers: [frames] };
      }
    }
  }

  private replay(
    reader: RolloutReader,
    { rollout, every, lines }: Extract<RolloutsRequest, { method: 'replay' }>,
  ): Promise<Replay> {
    const { signal } = this.abort;
    const made = this.replays.then(() => {
      signal.throwIfAborted();
      const kept = reader.kept(rollout);
      if (!kept) throw new Error('It has no episode: no program of it was played.');
      return replayKept(kept, { every, lines, signal });
    });
    this.replays = made.catch(() => undefined);
    return made;
  }

  private close(): void {
    this.abort.abort();
    this.reader?.close();
    this.reader = null;
  }
}
