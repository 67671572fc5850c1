/** The whole table, in one order. */
import { applicationScenarios } from './application-scenarios.ts';
import { bodyScenarios } from './body-scenarios.ts';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { sessionScenarios } from './session-scenarios.ts';

/** Every scenario that runs on every adapter. */
export const allScenarios: readonly Scenario[] = [
  ...scenarios,
  ...bodyScenarios,
  ...applicationScenarios,
  ...sessionScenarios,
];
