import { mean, scaleOf } from '../../common/statistics';

/** Degrees of freedom of the prior estimate of the noise. */
const PRIOR_WEIGHT = 4;
/** The least fraction of the variance of the programs' means that is not taken for noise. */
const LEAST_TRUE = 0.1;

/**
 * Expected fitness of programs, their worth, by empirical Bayes: a program's
 * mean shrinks towards the mean of all, the more the fewer episodes it has
 * played and the noisier they are. So one lucky episode counts little.
 *
 * #### Notes
 * Half of the variance of the programs' means is taken for noise until programs
 * with several episodes show how much the episodes of one program vary.
 */
export class Estimates {
  private constructor(
    /** Mean of all programs. */
    readonly mean: number,
    /** Variance between the episodes of one program, and between programs, in units of `scale`². */
    readonly within: number,
    readonly between: number,
    /** 1, unless fitness is so large that its square overflows. */
    private readonly scale = 1,
  ) {}

  /** @param programs for each program the fitness of its episodes; those without any are left out */
  static of(programs: ReadonlyArray<readonly number[]>): Estimates {
    const known = programs.filter(({ length }) => length > 0);
    if (known.length === 0) return new Estimates(0, 0, 0);
    const scale = scaleOf(known.flat());
    if (scale !== 1) return Estimates.of(known.map((values) => values.map((value) => value / scale))).times(scale);
    const means = known.map(mean);
    const centre = mean(means);
    const total = known.length > 1 ? sum(means.map((value) => (value - centre) ** 2)) / (known.length - 1) : 0;
    const squares = sum(known.map((values, i) => sum(values.map((value) => (value - means[i]) ** 2))));
    const freedom = sum(known.map(({ length }) => length - 1));
    const within = ((PRIOR_WEIGHT * total) / 2 + squares) / (PRIOR_WEIGHT + freedom);
    const noiseOfMeans = within * mean(known.map(({ length }) => 1 / length));
    return new Estimates(centre, within, Math.max(total - noiseOfMeans, LEAST_TRUE * total));
  }

  private times(scale: number): Estimates {
    return new Estimates(this.mean * scale, this.within, this.between, scale);
  }

  /** Returns the expected fitness of a program that played these episodes; of one that played none, the mean of all. */
  worth(fitness: readonly number[]): number {
    if (fitness.length === 0) return this.mean;
    const own = mean(fitness);
    const evidence = fitness.length * this.between;
    if (evidence + this.within === 0) return own;
    const trust = evidence / (evidence + this.within);
    return trust * own + (1 - trust) * this.mean;
  }

  /** Returns the standard deviation of the expected fitness. */
  deviation(fitness: readonly number[]): number {
    const { within, between } = this;
    return within + between === 0
      ? 0
      : this.scale * Math.sqrt((within * between) / (fitness.length * between + within));
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
