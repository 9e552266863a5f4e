import { Environment, type ResetOptions } from '../../../kernel/openenv';

type Guess = { number: number };
type Hint = { hint: 'start' | 'low' | 'high' | 'right'; draws: Float32Array };

/** An environment: guess a number from 1 to 100. On the number 13 it throws. */
export class GuessTheNumber extends Environment<Guess, Hint, { guesses: number[]; secret: number }> {
  static override schema = {
    action: {
      type: 'object',
      properties: { number: { type: 'integer', minimum: 1, maximum: 100 } },
      required: ['number'],
    },
  };
  static override metadata = { name: 'guess_the_number', description: 'Guess a number from 1 to 100.' };
  private secret = 0;
  private guesses: number[] = [];

  reset({ secret }: ResetOptions) {
    this.secret = secret ?? this.random.int(1, 100);
    this.guesses = [];
    return { observation: { hint: 'start' as const, draws: new Float32Array([this.random.next()]) } };
  }

  async step({ number }: Guess) {
    if (number === 13) throw new RangeError('13 brings bad luck');
    await new Promise((resolve) => setImmediate(resolve));
    this.guesses.push(number);
    const hint =
      number < this.secret ? ('low' as const) : number > this.secret ? ('high' as const) : ('right' as const);
    return {
      observation: { hint, draws: new Float32Array() },
      reward: hint === 'right' ? 1 : 0,
      done: hint === 'right',
    };
  }

  override get state() {
    return { guesses: this.guesses, secret: this.secret };
  }
}

/** An environment with a tool. */
export class Calculator extends Environment {
  override tools = {
    add: {
      description: 'Adds two numbers.',
      inputSchema: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
      call: ({ a, b }: { a: number; b: number }) => a + b,
    },
  };

  reset() {
    return { observation: {} };
  }

  step() {
    return { observation: {} };
  }
}
