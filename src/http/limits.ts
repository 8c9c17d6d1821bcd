import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { PAGE_DEFAULT, PAGE_MAX } from '../services/read/pages.js';

/** What one request may ask for. Ours and the console's largest are well below half of each. */
export const LIMITS = {
  /** Tokens of the document; the standard introspection query has about 400. */
  tokens: 5_000,
  /** Levels of fields. */
  depth: 15,
  /** Aliased fields, fragments counted wherever they are spread. */
  aliases: 60,
  /** Directives in use, fragments counted wherever they are spread. */
  directives: 50,
  /** Fields, fragments counted wherever they are spread. */
  fields: 2_000,
  /** Rows that pages inside pages can add up to: a page size that is a variable counts as the largest. */
  rows: 250_000,
} as const;

interface Size {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly fields: number;
  readonly rows: number;
}

const NOTHING: Size = { depth: 0, aliases: 0, directives: 0, fields: 0, rows: 0 };

const pagedFields = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

/** Names of the fields that give pages, whatever type they are of. */
function pagedIn(schema: GraphQLSchema): ReadonlySet<string> {
  let names = pagedFields.get(schema);
  if (!names) {
    const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) ? Object.values(type.getFields()) : [],
    );
    names = new Set(fields.filter(({ args }) => args.some(({ name }) => name === 'first')).map(({ name }) => name));
    pagedFields.set(schema, names);
  }
  return names;
}

function pageSizeOf(field: FieldNode): number {
  const first = field.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (!first || first.kind === Kind.NULL) return PAGE_DEFAULT;
  return first.kind === Kind.INT ? Math.min(Number(first.value), PAGE_MAX) : PAGE_MAX;
}

/** Refuses documents that are small to write but large to answer. */
export const limitsRule: ValidationRule = (context: ValidationContext): ASTVisitor => {
  const paged = pagedIn(context.getSchema());
  const known = new Map<string, Size>();
  const open = new Set<string>();

  function sizeOfFragment(fragment: FragmentDefinitionNode): Size {
    const name = fragment.name.value;
    const size = known.get(name);
    if (size) return size;
    // A cycle is another rule's fault to report; here it must only end.
    if (open.has(name)) return NOTHING;
    open.add(name);
    const measured = sizeOf(fragment.selectionSet);
    open.delete(name);
    known.set(name, measured);
    return measured;
  }

  function sizeOf(selectionSet: SelectionSetNode): Size {
    let { depth, aliases, directives, fields, rows } = NOTHING;
    for (const selection of selectionSet.selections) {
      let size = NOTHING;
      if (selection.kind === Kind.FIELD) {
        const below = selection.selectionSet ? sizeOf(selection.selectionSet) : NOTHING;
        size = {
          depth: below.depth + 1,
          aliases: below.aliases + (selection.alias ? 1 : 0),
          directives: below.directives,
          fields: below.fields + 1,
          rows: paged.has(selection.name.value) ? pageSizeOf(selection) * (1 + below.rows) : below.rows,
        };
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        size = sizeOf(selection.selectionSet);
      } else {
        const fragment = context.getFragment(selection.name.value);
        if (fragment) size = sizeOfFragment(fragment);
      }
      depth = Math.max(depth, size.depth);
      aliases += size.aliases;
      directives += size.directives + (selection.directives?.length ?? 0);
      fields += size.fields;
      rows += size.rows;
    }
    return { depth, aliases, directives, fields, rows };
  }

  return {
    OperationDefinition(operation) {
      const size = sizeOf(operation.selectionSet);
      for (const what of ['depth', 'aliases', 'directives', 'fields', 'rows'] as const) {
        if (size[what] <= LIMITS[what]) continue;
        context.reportError(
          new GraphQLError(`The operation has ${what} ${size[what]}; at most ${LIMITS[what]} are answered.`, {
            nodes: [operation],
            extensions: { code: 'OPERATION_TOO_LARGE', limit: what, max: LIMITS[what] },
          }),
        );
      }
    },
  };
};
