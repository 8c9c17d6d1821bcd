export const POSTING_STATUSES = [
  'PLANNED',
  'HELD',
  'AWAITING_APPROVAL',
  'READY',
  'POSTING',
  'IN_DOUBT',
  'POSTED',
  'REJECTED',
  'CANCELLED',
  'REVERSED',
] as const;
export type PostingStatus = (typeof POSTING_STATUSES)[number];
