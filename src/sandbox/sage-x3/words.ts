/**
 * What X3 says when it refuses. Known words: 721, "Record has been created", the two analytical errors 97 and 25, the
 * pool, publication and web-service texts. The rest are placeholders with the meaning of the rule; nothing may branch on them.
 */
export const words = {
  missingRecord: '721 : Record does not exist',
  created: (what: string, key: string) => `${what} ${key} : Record has been created`,
  exists: (what: string, key: string) => `${what} ${key} : Record already exists`,
  mandatory: (title: string) => `${title} : Mandatory field`,
  unknown: (title: string, value: string) => `${title} ${value} : Record does not exist`,
  inactive: (title: string, value: string) => `${title} ${value} : inactive record`,
  invalid: (title: string, value: string) => `${title} ${value} : Incorrect value`,
  tooLong: (title: string) => `${title} : Value too long`,
  automaticNumber: 'Entry number : automatic numbering, the field cannot be entered',
  periodClosed: (day: string) => `Accounting date ${day} : The period is closed`,
  noPeriod: (day: string) => `Accounting date ${day} : No fiscal year for this date`,
  unbalanced: (currency: string) => `Unbalanced entry in ${currency}`,
  noLines: 'The entry has no lines',
  partnerNeeded: (account: string) => `Account ${account} : Control account, the BP is mandatory`,
  dimensionNeeded: (account: string, type: string) =>
    `97 : Account ${account}, dimension type ${type} : at least one dimension required`,
  distributionUnbalanced: (line: number) => `25 : Line ${line} : distribution unbalanced`,
  notPostable: (type: string, value: string) => `Dimension ${type} ${value} : not chargeable`,
  forbidden: (account: string, value: string) => `Account ${account} : dimension ${value} prohibited`,
  finalEntry: (key: string) => `${key} : Final entry, cannot be modified`,
  noPool: (alias: string) => `No classic web service pool match to '${alias}'`,
  poolBusy: 'Pool queue time-out: no session became free, the request was not started',
  unknownService: 'Unknown web service (0)',
  noProcesses: 'No web services accepted',
  noGroup: (field: string) => `Cannot add field [${field}] under root node, a GRP or TAB is expected`,
  noGroupId: 'No attribute ID found into GRP tag',
  noFieldName: (attribute: string) => `No attribute ${attribute} found into FLD tag`,
  unknownGroup: (id: string) => `Group [${id}] unknown in the publication`,
  unknownField: (name: string, group: string) => `Field [${name}] unknown in group [${group}]`,
  gridExpected: (id: string) => `Group [${id}] has a dimension, a TAB is expected`,
  badDocument: 'The parameter is neither XML nor JSON that can be read',
  notYet: 'NOT YET IMPLEMENTED',
  templateUnknown: (code: string) => `Import template ${code} : Record does not exist`,
  fileEmpty: 'The file holds no record',
  fileLine: (line: number, text: string) => `Line ${line} : ${text}`,
} as const;

/** A refusal in X3's words; callers put them into the form of their surface. */
export interface Refusal {
  readonly refused: readonly string[];
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
