/**
 * Window: asks the driver how many tokens a model's window has, in the background, once it would matter.
 *
 * `askWindow(kernel, model)` does nothing for a model whose window is told by `MODEL_PRICES` or known already. What the driver
 * answers is kept with the model's calibration, and an overflow still makes it smaller. No run waits for it, and a failure leaves
 * the careful default.
 */
import { errorName, logEvent } from "#shared/log.ts";
import type { Kernel } from "#kernel/kernel.ts";
import { pricesOf } from "#kernel/vm/pager/prices.ts";
import { calibrationOf, savePagerRecord, setCalibration } from "#kernel/vm/pager/record.ts";

/** Models that an instance asked for, so that a driver that does not know is asked once. */
const asked = new WeakMap<Kernel, Set<string>>();

export function askWindow(kernel: Kernel, model: string): void {
  const known = pricesOf(kernel.env, model).window ?? calibrationOf(kernel, model).window;
  const models = asked.get(kernel) ?? new Set();
  if (known !== null || models.has(model)) return;
  asked.set(kernel, models.add(model));
  kernel.background(learn(kernel, model));
}

async function learn(kernel: Kernel, model: string): Promise<void> {
  try {
    const cards = await kernel.driver.models();
    const window = cards.find((card) => card.id === model)?.contextWindow ?? null;
    const calibration = calibrationOf(kernel, model);
    if (window === null || window < 1 || calibration.window !== null) return;
    setCalibration(kernel, model, { ...calibration, window });
    savePagerRecord(kernel);
  } catch (error) {
    logEvent("model-window-unknown", { error: errorName(error) });
  }
}
