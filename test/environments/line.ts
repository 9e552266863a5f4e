import { Environment, type ResetOptions } from '../../kernel/openenv/serving';

/** An environment: a line to walk along, whose length is an option. */
export class Line extends Environment<{ move: 'BACK' | 'ON' }, { x: number; length: number }> {
  static override schema = {
    action: { type: 'object', properties: { move: { enum: ['BACK', 'ON'] } }, required: ['move'] },
    observation: { type: 'object', properties: { x: { type: 'integer' }, length: { type: 'integer' } } },
  };

  private x = 0;
  private length = 0;

  reset({ length = 3 }: ResetOptions & { length?: number }) {
    [this.x, this.length] = [0, length];
    return { observation: this.observation() };
  }

  step({ move }: { move: 'BACK' | 'ON' }) {
    this.x += move === 'ON' ? 1 : -1;
    const done = this.x >= this.length;
    return { observation: this.observation(), reward: Number(done), done };
  }

  override render() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${10 * this.length}" height="10"/>`;
  }

  private observation() {
    return { x: this.x, length: this.length };
  }
}
