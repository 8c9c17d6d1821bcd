import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { ConnectedSystem } from '../schema/systems.js';
import {
  VendorLink,
  VendorLinkConnection,
  VendorLinkState,
  VendorThresholds,
  VendorThresholdsInput,
  VendorThresholdsPayload,
} from '../schema/vendors.js';
import type { Outcome } from '../services/outcome.js';
import type { Page } from '../services/read/pages.js';
import type { SystemRow } from '../services/read/systems.js';
import type { VendorLinkRow } from '../services/read/vendorLinks.js';
import type { ThresholdPreview } from '../services/vendorThresholds.js';
import { payload, present } from './answers.js';
import type { GraphqlContext } from './context.js';

type Maybe<T> = T | null | undefined;

@Resolver(() => VendorLink)
export class VendorLinkResolver {
  @Query(() => VendorLinkConnection, {
    description: 'Suppliers and the vendors that stand for them, of a ledger or a spend system, by supplier code.',
  })
  vendorLinks(
    @Ctx() context: GraphqlContext,
    @Arg('systemId', () => ID, { description: 'A ledger or a spend system.' }) systemId: string,
    @Arg('state', () => VendorLinkState, { nullable: true }) state: Maybe<VendorLinkState>,
    @Arg('first', () => Int, { nullable: true }) first: Maybe<number>,
    @Arg('after', () => String, { nullable: true }) after: Maybe<string>,
  ): Promise<Page<VendorLinkRow>> {
    return context.read.vendorLinks.list(systemId, state, { first, after });
  }

  @FieldResolver(() => ConnectedSystem, { description: 'The spend system.' })
  async source(@Ctx() context: GraphqlContext, @Root() link: VendorLinkRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(link.sourceId), `System ${link.sourceId}`);
  }

  @FieldResolver(() => ConnectedSystem)
  async ledger(@Ctx() context: GraphqlContext, @Root() link: VendorLinkRow): Promise<SystemRow> {
    return present(await context.read.systems.byId(link.ledgerId), `System ${link.ledgerId}`);
  }
}

@Resolver()
export class VendorThresholdsResolver {
  @Query(() => VendorThresholds, { description: "The ledger's own, or those that come with the program." })
  vendorThresholds(
    @Ctx() context: GraphqlContext,
    @Arg('ledgerId', () => ID) ledgerId: string,
  ): Promise<VendorThresholds> {
    return context.useCases.vendorThresholds(context.caller, ledgerId);
  }

  @Query(() => VendorThresholdsPayload, {
    description: 'What thresholds would have done to the last year. Changes nothing.',
  })
  previewVendorThresholds(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => VendorThresholdsInput) { ledgerId, ...thresholds }: VendorThresholdsInput,
  ): Promise<VendorThresholdsPayload> {
    return shown(context, () => context.useCases.previewThresholds(context.caller, ledgerId, thresholds));
  }

  @Mutation(() => VendorThresholdsPayload, {
    description:
      'Refused while they disagree with what people decided, unless that is accepted. Matches are decided anew as purchases need them.',
  })
  setVendorThresholds(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => VendorThresholdsInput)
    { ledgerId, acceptDisagreements, ...thresholds }: VendorThresholdsInput,
  ): Promise<VendorThresholdsPayload> {
    return shown(context, () =>
      context.useCases.setThresholds(context.caller, { ledgerId, thresholds, acceptDisagreements }),
    );
  }
}

function shown(
  context: GraphqlContext,
  useCase: () => Promise<Outcome<ThresholdPreview>>,
): Promise<VendorThresholdsPayload> {
  return payload<ThresholdPreview, { preview: ThresholdPreview | null }>(context, useCase, (preview) => ({ preview }), {
    preview: null,
  });
}
