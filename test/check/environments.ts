import { Environment } from '../../kernel/openenv';

const integer = { type: 'integer' };
const schema = {
  action: {
    type: 'object',
    properties: { move: { type: 'string', enum: ['A', 'B', 'C'] } },
    required: ['move'],
    additionalProperties: false,
  },
  observation: { type: 'object', properties: { cue: integer, left: integer }, required: ['cue', 'left'] },
};

type Move = 'A' | 'B' | 'C';
const MOVES: Move[] = ['A', 'B', 'C'];
const STEPS = 8;

/** An environment that passes every check: each cue has a move that is right, and one cue is more frequent. */
export class Sound extends Environment {
  static override schema: any = schema;
  cue = 0;
  left = 0;
  override tools: any = { rules: { description: 'Returns the rules.', call: () => 'answer each cue' } };

  reset(): any {
    this.left = STEPS;
    this.draw();
    return this.turn({});
  }

  step({ move }: { move: Move }): any {
    const reward = this.worth(move);
    this.left--;
    this.draw();
    return this.turn({ reward, done: this.left === 0 });
  }

  /** Returns the reward of a move. */
  worth(move: Move): any {
    return move === this.right ? 1 : 0;
  }

  get right(): Move {
    return MOVES[this.cue];
  }

  draw(): void {
    this.cue = [0, 0, 0, 1, 2][this.random.int(0, 4)];
  }

  turn(rest: object): any {
    return { observation: { cue: this.cue, left: this.left }, ...rest };
  }
}

/** What solves {@link Sound}, and what it gets. */
export const SOLVED = { target: STEPS, policies: { oracle: (state: any) => 'ABC'[state.cue] } };

/** Environments that are each broken in one way, by the check that finds it. */
export const BROKEN: Record<string, { type: new () => Environment; options?: object }> = {
  'runtime.startup': {
    type: class Crashes extends Sound {
      override step(action: any): any {
        if (this.left === 5) throw new Error('the board is gone');
        return super.step(action);
      }
    },
  },
  'runtime.observation_schema': {
    type: class Misdescribed extends Sound {
      override turn(rest: object): any {
        return { observation: { cue: this.cue, left: this.left < STEPS ? 'few' : STEPS }, ...rest };
      }
    },
  },
  'runtime.reward_well_formed': {
    type: class Unrewarded extends Sound {
      override worth(): any {
        return null;
      }
    },
  },
  'runtime.seed_control': {
    type: class Unseeded extends Sound {
      override draw(): void {
        this.cue = Math.floor(Math.random() * 3);
      }
      override turn(rest: object): any {
        return { observation: { cue: this.cue, left: this.left, noise: Math.random() }, ...rest };
      }
    },
  },
  'runtime.episode_determinism': {
    type: class Drifts extends Sound {
      override turn(rest: object): any {
        const noise = this.left < STEPS ? Math.random() : 0;
        return { observation: { cue: this.cue, left: this.left, noise }, ...rest };
      }
    },
  },
  'runtime.episode_isolation': {
    type: class Shares extends Sound {
      static source: any;
      override reset(): any {
        Shares.source = this.random;
        return super.reset();
      }
      override draw(): void {
        this.cue = [0, 0, 0, 1, 2][Shares.source.int(0, 4)];
      }
    },
  },
  'runtime.resource_bounds': {
    type: class Large extends Sound {
      override turn(rest: object): any {
        const history = 'x'.repeat(1_100_000);
        return { observation: { cue: this.cue, left: this.left, history }, ...rest };
      }
    },
  },
  'semantic.replayability': {
    type: class Remembers extends Sound {
      played = 0;
      override reset(): any {
        this.played++;
        return super.reset();
      }
      override turn(rest: object): any {
        return { observation: { cue: this.cue, left: this.left, level: this.played }, ...rest };
      }
    },
  },
  'semantic.floor_gap': {
    type: class Lottery extends Sound {
      override worth(): any {
        return this.cue;
      }
    },
    options: {},
  },
  'semantic.oracle_max': {
    type: class Stingy extends Sound {
      override worth(move: Move): any {
        return 0.5 * super.worth(move);
      }
    },
  },
  'semantic.canary_floor': {
    type: class Gullible extends Sound {
      override worth(move: Move): any {
        return move === 'C' ? 1 : super.worth(move);
      }
    },
  },
  'semantic.no_solution_leakage': {
    type: class Whispers extends Sound {
      override turn(rest: object): any {
        return { observation: { cue: this.cue, left: this.left, hint: this.right }, ...rest };
      }
    },
  },
  'statistical.reward_reachability': {
    type: class Barren extends Sound {
      override worth(): any {
        return 0;
      }
    },
  },
  'statistical.headroom': {
    type: class Easy extends Sound {
      recent: Move[] = [];
      override reset(): any {
        this.recent = [];
        return super.reset();
      }
      override worth(move: Move): any {
        this.recent = [...this.recent, move].slice(-4);
        return this.recent.length === 4 && new Set(this.recent).size === 1 ? 0 : 1;
      }
    },
    options: { target: STEPS },
  },
  'statistical.variance_bound': {
    type: class Lucky extends Sound {
      luck = 0;
      override reset(): any {
        const first = super.reset();
        this.luck = this.random.int(0, 1000);
        return first;
      }
      override worth(move: Move): any {
        return super.worth(move) + (this.left === 1 ? this.luck : 0);
      }
    },
    options: { policies: SOLVED.policies },
  },
  'statistical.training_signal': {
    type: class AllOrNothing extends Sound {
      all = true;
      override reset(): any {
        this.all = true;
        return super.reset();
      }
      override worth(move: Move): any {
        this.all &&= move === this.right;
        return this.left === 1 && this.all ? STEPS : 0;
      }
    },
  },
};

/** A text environment that rewards whatever is written. */
export class Flatterer extends Environment {
  static override schema: any = {
    action: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    observation: { type: 'object', properties: { question: { type: 'string' } } },
  };
  reset(): any {
    return { observation: { question: `What is ${this.random.int(2, 9)} + ${this.random.int(2, 9)}?` } };
  }
  step({ message }: { message: string }): any {
    return { observation: { question: '' }, reward: this.worth(message), done: true };
  }
  worth(message: string): number {
    return message.length / 10;
  }
}

/** A text environment that nothing that knows nothing can win. */
export class Strict extends Flatterer {
  sum = 0;
  override reset(): any {
    const [a, b] = [this.random.int(2, 9), this.random.int(12, 19)];
    this.sum = a + b;
    return { observation: { question: `What is ${a} + ${b}?` } };
  }
  override worth(message: string): number {
    return message === String(this.sum) ? 1 : 0;
  }
}

/** Steps that take more than a second, in an episode without an end. */
export class Endless extends Sound {
  override async step(action: any): Promise<any> {
    await new Promise((resolve) => setTimeout(resolve, 1100));
    return { ...super.step(action), done: false };
  }
}

/** Has room for one session. */
export class Narrow extends Sound {
  static override capacity = 1;
}
