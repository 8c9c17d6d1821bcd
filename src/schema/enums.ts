import { registerEnumType } from 'type-graphql';
import { POSTING_STATUSES } from '../domain/postingState.js';
import * as words from '../domain/vocabulary.js';

type EnumOf<T extends string> = { readonly [K in T]: K };

/** Makes a GraphQL enum from one of the domain's word lists, so that the two cannot drift apart. */
function enumFrom<T extends string>(
  name: string,
  values: readonly T[],
  description: string,
  meanings: Partial<Record<T, string>> = {},
): EnumOf<T> {
  const object = Object.fromEntries(values.map((value) => [value, value])) as EnumOf<T>;
  const valuesConfig: Partial<Record<T, { description: string }>> = {};
  for (const value of values) {
    const description = meanings[value];
    if (description !== undefined) valuesConfig[value] = { description };
  }
  registerEnumType(object, { name, description, valuesConfig });
  return object;
}

export const SystemKind = enumFrom('SystemKind', words.SYSTEM_KINDS, 'Which vendor a connected system is of.');
export const SystemRole = enumFrom('SystemRole', words.SYSTEM_ROLES, 'What a system is for.', {
  SPEND: 'Spend is read from it.',
  LEDGER: 'Journals and invoices are posted to it.',
});
export const SystemStatus = enumFrom('SystemStatus', words.SYSTEM_STATUSES, 'Whether a system can be used now.', {
  NEEDS_REAUTHORISATION: 'Its login or token was refused: somebody has to give new credentials.',
  UNREACHABLE: 'It does not answer; tried again by itself.',
  DISABLED: 'Switched off by a person.',
});
export const SpendStream = enumFrom('SpendStream', words.SPEND_STREAMS, 'A list of a spend system that is read.');
export const DocumentType = enumFrom('DocumentType', words.DOCUMENT_TYPES, 'What is written into the ledger.');
export const Grouping = enumFrom('Grouping', words.GROUPINGS, 'How many purchases share one document.', {
  PER_RECORD: 'One document a purchase.',
  DAILY: "One balanced document a day (in the pipeline's time zone) and currency.",
});
export const UnmatchedVendorPolicy = enumFrom(
  'UnmatchedVendorPolicy',
  words.UNMATCHED_VENDOR_POLICIES,
  'What happens to a purchase whose merchant has no certain supplier in the ledger.',
  {
    HOLD: 'The posting waits for a person.',
    SKIP: 'The purchase is excluded, with an audit note.',
    DEFAULT_ACCOUNT: "It is posted to the pipeline's default account.",
    CREATE_SUPPLIER: 'The merchant is registered as a supplier first.',
    POST_WITHOUT_SUPPLIER: 'Journals only: posted on its coding without a supplier; the match stays open for a person.',
  },
);
export const PostingDatePolicy = enumFrom(
  'PostingDatePolicy',
  words.POSTING_DATE_POLICIES,
  'Which day a document is dated with.',
);
export const ClosedPeriodPolicy = enumFrom(
  'ClosedPeriodPolicy',
  words.CLOSED_PERIOD_POLICIES,
  'What happens when the posting date falls in a closed fiscal period.',
);
export const CodingPolicy = enumFrom(
  'CodingPolicy',
  words.CODING_POLICIES,
  'When a purchase that several streams show may be posted.',
  {
    RICHEST:
      "Not before the richest of the pipeline's streams has shown it, so that one posting carries the final coding.",
    FIRST: 'As soon as any stream shows it; corrected later if need be.',
  },
);
export const CorrectionPolicy = enumFrom(
  'CorrectionPolicy',
  words.CORRECTION_POLICIES,
  'What happens when the source changes a purchase that is already in the ledger.',
  {
    REVERSE_AND_REPLACE: 'The document is reversed and a new one is posted, linked to each other.',
    HOLD: 'The change waits for a person.',
  },
);
export const DuplicateCheck = enumFrom(
  'DuplicateCheck',
  words.DUPLICATE_CHECKS,
  'When a purchase is held as a suspected duplicate of one with the same merchant, amount and day in the same ledger.',
  {
    OFF: 'Never.',
    ACROSS_SOURCES:
      'Only where the two came different ways: from two systems, through two pipelines, or with two imports of a feed.',
    ALWAYS: 'Whenever their source ids differ.',
  },
);
export const SyncTrigger = enumFrom('SyncTrigger', words.SYNC_TRIGGERS, 'What started a sync run.');
export const SyncStatus = enumFrom('SyncStatus', words.SYNC_STATUSES, 'How far a sync run is.', {
  PARTIAL: 'Finished, but something could not be read or planned; see `error`.',
});
export const SpendStatus = enumFrom('SpendStatus', words.SPEND_STATUSES, 'How far a purchase is on its way.', {
  EXCLUDED: 'Not posted, by a person, a policy or because it is not spend; see `excludedReason`.',
  CORRECTED: 'In the ledger, reversed and replaced at least once after a change at the source.',
});
export const PostingStatus = enumFrom('PostingStatus', POSTING_STATUSES, 'How far a posting is on its way.', {
  PLANNED: 'Planned, its checks not finished.',
  HELD: 'Waits for a person; see `holds`.',
  AWAITING_APPROVAL: 'Clean, waits for an approval.',
  READY: 'Will be sent.',
  POSTING: 'Being sent now.',
  IN_DOUBT:
    'Sent, but the answer was lost: the ledger is being asked. Never sent again before the ledger has answered.',
  POSTED: 'In the ledger; `ledgerDocumentId` names the document.',
  REJECTED: 'The ledger read it and said no. Nothing was written.',
  CANCELLED: 'Given up by a person before it was sent.',
  REVERSED: 'Was in the ledger; an equal and opposite document has undone it.',
});
export const VendorMatchStatus = enumFrom(
  'VendorMatchStatus',
  words.VENDOR_MATCH_STATUSES,
  'How sure it is which supplier a merchant is.',
);
export const VendorDecision = enumFrom('VendorDecision', words.VENDOR_DECISIONS, "A person's decision about a match.", {
  CONFIRM: 'The proposed supplier is right.',
  REJECT: 'The proposed supplier is wrong and is not proposed again.',
  ASSIGN: 'It is the supplier `supplierCode`.',
  CREATE: 'Register it as a new supplier called `supplierName`.',
});
export const AlertSeverity = enumFrom('AlertSeverity', words.ALERT_SEVERITIES, 'How urgent an alert is.');
export const Role = enumFrom(
  'Role',
  words.ROLES,
  'What a key may do. Each role may do all that the ones before it may.',
  {
    VIEWER: 'Reads everything but the audit trail and keys.',
    AUDITOR: 'Reads the audit trail, verifies it, reconciles.',
    OPERATOR: 'Starts syncs, replays, approves, decides about postings and vendors.',
    ADMIN: 'Connects systems, changes pipelines, mappings and keys.',
  },
);
export const ReplayOutcome = enumFrom(
  'ReplayOutcome',
  words.REPLAY_OUTCOMES,
  'What a replay would make of a posting.',
  {
    READY: 'It would be posted.',
    HELD: 'It would stay held; `code` is the first of its holds.',
    CANCELLED: 'It would be given up: none of its purchases has to be posted any more.',
    POSTPONED: 'Another document of its purchases is at the ledger: it is planned when that is settled.',
    LOOKED_FOR: 'Nobody knows whether the ledger has it: the ledger would be asked at once.',
    NOT_REPLAYABLE: 'Its state, which is `code`, lets it not be replayed.',
  },
);
