/**
 * What M3 answers when it says no. Exact codes are not published, but for XAU0008: all others are placeholders of the right
 * form, so a client that depends on one of them depends on nothing real (Infor M3: not established).
 */
export class MiError extends Error {
  constructor(
    readonly text: string,
    readonly code: string,
    readonly field = '',
  ) {
    super(text);
  }

  /** M3 packs code and field into the message, padded with blanks (Infor M3: v2 response). */
  get packed(): string {
    return `${this.text.padEnd(50)}${`   ${this.code}`.padEnd(14)}${this.field}`.trimEnd();
  }
}

export function noSuchProgram(program: string): MiError {
  return new MiError(`Program ${program} not found`, 'XMI0001');
}

export function noSuchTransaction(program: string, transaction: string): MiError {
  return new MiError(`Transaction ${transaction} not found in ${program}`, 'XMI0002');
}

export function unknownField(field: string): MiError {
  return new MiError(`Field ${field} is not defined for the transaction`, 'XMI0003', field);
}

export function tooLong(field: string, length: number): MiError {
  return new MiError(`Field ${field} is longer than ${length} characters`, 'XMI0004', field);
}

export function mandatory(field: string): MiError {
  return new MiError(`${field} must be entered`, 'WMA0101', field);
}

export function notNumeric(field: string, value: string): MiError {
  return new MiError(`${value} is not numeric`, 'XNU0001', field);
}

export function badDate(field: string, value: string): MiError {
  return new MiError(`Date ${value} is invalid`, 'XDT0001', field);
}

/** The one code that was seen at a real installation. */
export function notAuthorised(what: string, field = ''): MiError {
  return new MiError(`Not authorized for ${what}`, 'XAU0008', field);
}

export function doesNotExist(what: string, value: string, field: string, code: string): MiError {
  return new MiError(`${what} ${value} does not exist`, code, field);
}

export function alreadyExists(what: string, value: string, field: string, code: string): MiError {
  return new MiError(`${what} ${value} already exists`, code, field);
}
