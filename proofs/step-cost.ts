/** What a step of training costs, as a claim shows it among its metrics. */
export interface StepCost {
  /** How many numbers are trained. */
  parameters: number;
  /** Seconds of processor time of a step, drawing its batch included: the median of all. What else the machine does adds nothing. */
  stepSeconds: number;
  /** The share of a step in heed's own kernels, from 0 to 1: of the quickest of a few. */
  kernelShare: number;
}

/** Thrown by a training of which its cost alone is asked. */
class Enough extends Error {}

/** What is asked of the trainings that run now; undefined where nobody asks. */
let asked: { cost?: StepCost; readonly only: boolean } | undefined;

/** Whether a training may end once it knows its cost. */
export const onlyCostAsked = (): boolean => asked?.only === true;

/** Says what a training cost. Of those of a claim the first counts: what is claimed comes before what it is compared with. */
export function tellCost(cost: StepCost): void {
  if (!asked) return;
  asked.cost ??= cost;
  if (asked.only) throw new Enough();
}

/**
 * Runs a measurement and tells what a step of its first training costs; nothing where it does not train.
 *
 * @param only whether the measurement ends where the cost is known, without a result
 */
export async function withCost<T>(
  measure: () => Promise<T>,
  only: boolean,
): Promise<{ result?: T; cost?: StepCost }> {
  const mine: { cost?: StepCost; readonly only: boolean } = { only };
  asked = mine;
  try {
    const result = await measure();
    return { result, ...(mine.cost && { cost: mine.cost }) };
  } catch (error) {
    if (error instanceof Enough) return { ...(mine.cost && { cost: mine.cost }) };
    throw error;
  } finally {
    asked = undefined;
  }
}
