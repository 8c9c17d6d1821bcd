import type { SystemKind } from '../domain/vocabulary.js';
import { ConfigurationError } from '../errors.js';
import type { Connector } from './contract.js';
import { PROVEN } from './proven.js';

/** The connectors that this installation has, by kind. */
export class ConnectorRegistry {
  private readonly byKind: ReadonlyMap<SystemKind, Connector>;

  constructor(connectors: readonly Connector[]) {
    this.byKind = new Map(connectors.map((connector) => [connector.kind, connector]));
  }

  all(): readonly Connector[] {
    return [...this.byKind.values()];
  }

  find(kind: SystemKind): Connector | undefined {
    return this.byKind.get(kind);
  }

  /** Short words for what the conformance suite proved of the connector, e.g. `posts:journal`. */
  capabilitiesOf(kind: SystemKind): readonly string[] {
    return PROVEN[kind];
  }

  /** @throws ConfigurationError this installation cannot speak to such a system. */
  get(kind: SystemKind): Connector {
    const connector = this.byKind.get(kind);
    if (!connector) {
      throw new ConfigurationError(`This installation has no connector for ${kind}.`, {
        code: 'CONNECTOR_MISSING',
        detail: { kind, available: [...this.byKind.keys()] },
      });
    }
    return connector;
  }
}
