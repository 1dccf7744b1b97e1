// How much time a measurement may take.

export interface Effort {
  /** Everything that is compared takes its turn in each round. */
  readonly rounds: number
  /** Of load, for each turn. */
  readonly seconds: number
  /** Of one function, for each turn. */
  readonly functionSeconds: number
}

export const thorough: Effort = { rounds: 7, seconds: 1, functionSeconds: 0.2 }

/** To see that everything runs; the figures are worth nothing. */
export const quick: Effort = { rounds: 1, seconds: 1, functionSeconds: 0.02 }
