import { AlertRow } from './alert.js';
import { ApiKeyRow } from './apiKey.js';
import { AuditEventRow } from './auditEvent.js';
import { AuditHeadRow } from './auditHead.js';
import { BiLoginRow } from './biLogin.js';
import { CallQuotaRow } from './callQuota.js';
import { CheckpointRow } from './checkpoint.js';
import { CredentialRow } from './credential.js';
import { DuplicateClearanceRow } from './duplicateClearance.js';
import { FiscalPeriodRow } from './fiscalPeriod.js';
import { GlAccountRow } from './glAccount.js';
import { InvolvementRow } from './involvement.js';
import { JobClaimRow } from './jobClaim.js';
import { LedgerDimensionValueRow } from './ledgerDimensionValue.js';
import { LedgerSessionRow } from './ledgerSession.js';
import { MappingVersionRow } from './mappingVersion.js';
import { MasterDataExportRow } from './masterDataExport.js';
import { PipelineRow } from './pipeline.js';
import { PlanningQueueRow } from './planningQueue.js';
import { PostingRow } from './posting.js';
import { PostingAttemptRow } from './postingAttempt.js';
import { PostingEventRow } from './postingEvent.js';
import { PostingLineRow } from './postingLine.js';
import { PostingSpendRow } from './postingSpend.js';
import { ProcessRow } from './process.js';
import { ReceiptRow } from './receipt.js';
import { ReceiptAttachmentRow } from './receiptAttachment.js';
import { ReceiptLinkRow } from './receiptLink.js';
import { ScheduleFireRow } from './scheduleFire.js';
import { SourceExportRow } from './sourceExport.js';
import { SourceObjectRow } from './sourceObject.js';
import { SpendKeyRow } from './spendKey.js';
import { SpendRecordRow } from './spendRecord.js';
import { SupplierRow } from './supplier.js';
import { SyncRunRow } from './syncRun.js';
import { SystemRow } from './system.js';
import { TenantRow } from './tenant.js';
import { UnreadableObjectRow } from './unreadableObject.js';
import { VendorLinkRow } from './vendorLink.js';
import { VendorMatchRow } from './vendorMatch.js';
import { VendorThresholdRow } from './vendorThreshold.js';
import { WebhookDeliveryRow } from './webhookDelivery.js';

/**
 * Every table of ours, one class a table; a row is one object of its class. The classes follow the migrations and never
 * the other way round; a test compares them column by column.
 *
 * Rows name each other by id and have no relations: what belongs to many rows is read by one statement for all of them,
 * never row by row behind a property.
 */
export const entities = [
  TenantRow,
  ApiKeyRow,
  SystemRow,
  CredentialRow,
  LedgerSessionRow,
  BiLoginRow,
  CallQuotaRow,
  GlAccountRow,
  SupplierRow,
  LedgerDimensionValueRow,
  FiscalPeriodRow,
  PipelineRow,
  MappingVersionRow,
  MasterDataExportRow,
  CheckpointRow,
  ScheduleFireRow,
  SyncRunRow,
  SourceObjectRow,
  UnreadableObjectRow,
  SpendKeyRow,
  SpendRecordRow,
  DuplicateClearanceRow,
  PlanningQueueRow,
  PostingRow,
  PostingLineRow,
  PostingSpendRow,
  PostingAttemptRow,
  PostingEventRow,
  InvolvementRow,
  ReceiptRow,
  ReceiptLinkRow,
  ReceiptAttachmentRow,
  VendorMatchRow,
  VendorLinkRow,
  VendorThresholdRow,
  SourceExportRow,
  WebhookDeliveryRow,
  AlertRow,
  AuditHeadRow,
  AuditEventRow,
  ProcessRow,
  JobClaimRow,
] as const;

export {
  AlertRow,
  ApiKeyRow,
  AuditEventRow,
  AuditHeadRow,
  CheckpointRow,
  CredentialRow,
  DuplicateClearanceRow,
  FiscalPeriodRow,
  GlAccountRow,
  InvolvementRow,
  JobClaimRow,
  LedgerDimensionValueRow,
  LedgerSessionRow,
  MappingVersionRow,
  MasterDataExportRow,
  PipelineRow,
  PlanningQueueRow,
  PostingAttemptRow,
  PostingEventRow,
  PostingLineRow,
  PostingRow,
  PostingSpendRow,
  ProcessRow,
  ReceiptAttachmentRow,
  ReceiptLinkRow,
  ReceiptRow,
  ScheduleFireRow,
  SourceExportRow,
  SourceObjectRow,
  SpendKeyRow,
  SpendRecordRow,
  SupplierRow,
  SyncRunRow,
  SystemRow,
  TenantRow,
  UnreadableObjectRow,
  VendorLinkRow,
  VendorMatchRow,
  VendorThresholdRow,
  WebhookDeliveryRow,
};
