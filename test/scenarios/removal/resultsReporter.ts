import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface TestOutcome {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly errors: readonly { readonly name: string; readonly message: string }[];
}

/** What became of the tests of one project, which lacks one guard. */
export interface ProjectOutcome {
  readonly project: string;
  /** Of the file as a whole: it could not be loaded, or its set-up failed. */
  readonly fileErrors: readonly string[];
  readonly tests: readonly TestOutcome[];
}

const MESSAGE_MAX = 400;

/** Writes what became of every test to a file, in place of a report for people. */
export class ResultsReporter implements Reporter {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    writeFileSync(this.path, JSON.stringify(modules.map(outcomeOf)));
  }
}

function outcomeOf(module: TestModule): ProjectOutcome {
  return {
    project: module.project.name,
    fileErrors: module.errors().map(({ message }) => message.slice(0, MESSAGE_MAX)),
    tests: [...module.children.allTests()].map((test) => {
      const { state, errors = [] } = test.result();
      return {
        title: test.name,
        state,
        errors: errors.map(({ name = 'Error', message }) => ({ name, message: message.slice(0, MESSAGE_MAX) })),
      };
    }),
  };
}
