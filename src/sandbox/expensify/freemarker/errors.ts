export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * What went wrong with a template. `SYNTAX` and `UNSUPPORTED` come when it is compiled, the others when it runs.
 * `UNSUPPORTED` is a limit of this interpreter and none of FreeMarker: nobody may take it for the vendor's answer.
 */
export type TemplateFault = 'SYNTAX' | 'UNSUPPORTED' | 'MISSING' | 'TYPE' | 'STOP';

export class TemplateError extends Error {
  constructor(
    readonly fault: TemplateFault,
    readonly reason: string,
    readonly at: Position,
  ) {
    super(`${reason} (line ${at.line}, column ${at.column})`);
    this.name = 'TemplateError';
  }
}

export function syntax(reason: string, at: Position): TemplateError {
  return new TemplateError('SYNTAX', reason, at);
}

export function unsupported(what: string, at: Position): TemplateError {
  return new TemplateError('UNSUPPORTED', `The sandbox's FreeMarker does not know ${what}.`, at);
}
