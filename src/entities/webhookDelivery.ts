import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One delivery whose signature was right. The vendor's message id is the key, so that a delivery sent twice is worked
 * on once.
 */
@Entity({ name: 'webhook_deliveries' })
export class WebhookDeliveryRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'system_id' })
  systemId!: string;

  @PrimaryColumn({ type: 'text', name: 'message_id' })
  messageId!: string;

  @Column({ type: 'text', name: 'event_type' })
  eventType!: string;

  /** What was delivered, as JSON; text when it is none. */
  @Column({ type: 'jsonb' })
  body!: unknown;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'received_at' })
  receivedAt!: Date;

  /** null = still to be worked on. */
  @Column({ type: 'timestamptz', name: 'processed_at', nullable: true })
  processedAt!: Date | null;

  /** A sentence: why it could not be worked on. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;
}
