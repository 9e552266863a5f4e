/** A small environment as a class in a cell, to start from. */
export const CATCH = `type Move = { move: 'LEFT' | 'STAY' | 'RIGHT' };
type Seen = {
  /** @integer @minimum 0 @maximum 20 */
  ball_x: number;
  /** @integer @minimum 0 @maximum 20 */
  paddle_x: number;
};

/** @openenv client=env reference */
class Catch extends Environment<Move, Seen> {
  ball = 0;
  paddle = 0;
  height = 0;
  balls = 0;

  reset() {
    this.balls = 0;
    this.paddle = this.random.int(0, 20);
    this.drop();
    return { observation: this.seen() };
  }

  step({ move }: Move) {
    this.paddle = Math.min(20, Math.max(0, this.paddle + { LEFT: -2, STAY: 0, RIGHT: 2 }[move]));
    let reward = 0;
    if (--this.height === 0) {
      reward = Math.abs(this.ball - this.paddle) <= 1 ? 1 : 0;
      this.balls++;
      this.drop();
    }
    return { observation: this.seen(), reward, done: this.balls === 20 };
  }

  private drop() {
    this.ball = this.random.int(0, 20);
    this.height = 10;
  }

  private seen(): Seen {
    return { ball_x: this.ball, paddle_x: this.paddle };
  }
}`;

export const ABOUT_CATCH =
  '## The environment\n\nA class in an `@openenv` cell becomes an OpenEnv server; its schemas come from its types. Balls fall, and the paddle should be under them. With `reference` the card also tells what is got without skill: about 50 episodes are played for it. Change the class and run the cell again.';
