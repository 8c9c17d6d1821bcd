import { Decimal } from './decimal.js';
import { Environment, type Frame, guarded, type LoopState } from './environment.js';
import { type Position, TemplateError, unsupported } from './errors.js';
import { Evaluator, typeError } from './evaluate.js';
import { decimalsNumber } from './formats.js';
import type { AssignScope, Expr, ListNode, Node } from './nodes.js';
import { compress } from './texts.js';
import { Callable, isHash, isSequence, kindOf, type Maybe, type TemplateHash, type Value } from './values.js';

/** How a body ended, where it did not simply come to its end. */
class Break extends Error {}
class Continue extends Error {}
class Return extends Error {
  constructor(readonly value: Maybe) {
    super('return');
  }
}

interface Loop {
  readonly items: readonly (readonly Value[])[];
  readonly state: LoopState;
}

/** Templates that call themselves without end are stopped before node is. */
const MAX_DEPTH = 400;
const NO_LOOPS: ReadonlyMap<string, LoopState> = new Map();

/** One run of a template over a data model. @throws TemplateError */
export class Renderer {
  private readonly env: Environment;
  private readonly evaluator: Evaluator;
  private readonly loops: Loop[] = [];
  private depth = 0;

  constructor(model: TemplateHash) {
    this.env = new Environment(model);
    this.evaluator = new Evaluator(this.env, (callable, args, at) => this.callFunction(callable, args, at));
  }

  render(nodes: readonly Node[]): string {
    this.hoist(nodes);
    try {
      this.body(nodes, null);
    } catch (error) {
      // <#return> at the top ends the template; the others have no place there.
      if (error instanceof Break || error instanceof Continue) {
        throw typeError('<#break> or <#continue> stands outside of a loop.', { line: 1, column: 1 });
      }
      if (!(error instanceof Return)) throw error;
    }
    return this.env.output();
  }

  // Macros can be called above their definition.
  private hoist(nodes: readonly Node[]): void {
    for (const node of nodes) if (node.k === 'macro') this.env.assigned.set(node.macro.name, new Callable(node.macro));
  }

  private body(nodes: readonly Node[], frame: Frame | null): void {
    for (const node of nodes) this.node(node, frame);
  }

  private node(node: Node, frame: Frame | null): void {
    const { at } = node;
    switch (node.k) {
      case 'print':
        this.env.write(node.text);
        return;
      case 'interpolation':
        this.env.write(this.evaluator.text(node.value, frame));
        return;
      case 'decimals': {
        const value = this.evaluator.need(node.value, frame);
        if (!(value instanceof Decimal)) throw typeError(`#{…} needs a number, not a ${kindOf(value)}.`, at);
        this.env.write(decimalsNumber(value, node.least, node.most));
        return;
      }
      case 'if': {
        const branch = node.branches.find(({ test }) => test === null || this.evaluator.truth(test, frame));
        this.body(branch?.body ?? [], frame);
        return;
      }
      case 'list':
        this.list(node.list, frame);
        return;
      case 'items':
        this.items(node, frame);
        return;
      case 'sep':
        if (!this.innermost('sep', at).state.hasNext) return;
        this.body(node.body, frame);
        return;
      case 'assign':
        this.assign(node, frame);
        return;
      case 'capture': {
        const text = this.env.capture(() => this.body(node.body, frame));
        this.store(node.scope, node.name, text, frame, at);
        return;
      }
      case 'macro':
        this.store('assign', node.macro.name, new Callable(node.macro), frame, at);
        return;
      case 'invoke':
        this.invoke(node, frame);
        return;
      case 'nested':
        this.nested(node, frame);
        return;
      case 'return':
        throw new Return(node.value === null ? undefined : this.evaluator.need(node.value, frame));
      case 'compress':
        this.env.write(compress(this.env.capture(() => this.body(node.body, frame))));
        return;
      case 'setting':
        this.env.set(node.name, this.settingText(node.value, frame), at);
        return;
      case 'switch':
        this.switch(node, frame);
        return;
      case 'attempt':
        this.attempt(node, frame);
        return;
      case 'break':
        throw new Break();
      case 'continue':
        throw new Continue();
      case 'stop': {
        const message = node.message === null ? 'no reason given' : this.evaluator.text(node.message, frame);
        throw new TemplateError('STOP', `The template stopped itself: ${message}.`, at);
      }
    }
  }

  private settingText(value: Expr, frame: Frame | null): string {
    const found = this.evaluator.need(value, frame);
    return typeof found === 'boolean' ? String(found) : this.evaluator.text(value, frame);
  }

  private list(list: ListNode, frame: Frame | null): void {
    const items = this.itemsOf(list, frame);
    if (items.length === 0) {
      this.body(list.otherwise ?? [], frame);
      return;
    }
    const loop: Loop = { items, state: { index: 0, hasNext: items.length > 1 } };
    this.loops.push(loop);
    try {
      if (list.variables.length === 0) this.body(list.body, frame);
      else this.repeat(loop, list.variables, list.body, frame);
    } finally {
      this.loops.pop();
    }
  }

  private itemsOf({ subject, variables }: ListNode, frame: Frame | null): (readonly Value[])[] {
    const value = this.evaluator.need(subject, frame);
    if (isSequence(value)) {
      if (variables.length > 1) throw typeError('A sequence has one loop variable.', subject.at);
      return value.map((item) => [item]);
    }
    if (isHash(value) && variables.length !== 1) return [...value];
    throw typeError(`<#list> needs a sequence, not a ${kindOf(value)}.`, subject.at);
  }

  private items(node: Node & { k: 'items' }, frame: Frame | null): void {
    this.repeat(this.innermost('items', node.at), node.variables, node.body, frame);
  }

  private repeat(loop: Loop, names: readonly string[], body: readonly Node[], frame: Frame | null): void {
    const { items, state } = loop;
    const loops = new Map(names.map((name) => [name, state]));
    for (const [index, values] of items.entries()) {
      state.index = index;
      state.hasNext = index < items.length - 1;
      const variables = new Map<string, Maybe>();
      for (const [place, name] of names.entries()) {
        variables.set(name, values[place]);
        variables.set(`${name}_index`, Decimal.of(index));
        variables.set(`${name}_has_next`, state.hasNext);
      }
      try {
        this.body(body, { parent: frame, isMacro: false, variables, loops, nested: null });
      } catch (error) {
        if (error instanceof Break) return;
        if (!(error instanceof Continue)) throw error;
      }
    }
  }

  private innermost(name: string, at: Position): Loop {
    const loop = this.loops.at(-1);
    if (!loop) throw typeError(`<#${name}> stands outside of a loop.`, at);
    return loop;
  }

  private assign(node: Node & { k: 'assign' }, frame: Frame | null): void {
    const { at, name, op, scope } = node;
    const value = this.evaluator.need(node.value, frame);
    if (op === '=') {
      this.store(scope, name, value, frame, at);
      return;
    }
    const old = op === '++' || op === '--' ? value : this.env.lookUp(name, frame);
    if (old === undefined) throw new TemplateError('MISSING', `The variable ${name} is missing.`, at);
    const right = op === '++' || op === '--' ? Decimal.of(1) : value;
    this.store(scope, name, this.evaluator.operate(op[0] ?? '', old, right, at), frame, at);
  }

  private store(scope: AssignScope, name: string, value: Value, frame: Frame | null, at: Position): void {
    if (scope === 'assign') this.env.assigned.set(name, value);
    else if (scope === 'global') this.env.globals.set(name, value);
    else {
      let macro = frame;
      while (macro !== null && !macro.isMacro) macro = macro.parent;
      if (macro === null) throw typeError('<#local> stands outside of a macro.', at);
      macro.variables.set(name, value);
    }
  }

  private invoke(node: Node & { k: 'invoke' }, frame: Frame | null): void {
    const { at, body, named, positional, variables } = node;
    const callable = this.evaluator.need(node.target, frame);
    if (!(callable instanceof Callable) || callable.node.isFunction) {
      throw typeError(`A macro is needed, not a ${kindOf(callable)}.`, at);
    }
    const given = new Map(named.map(([name, value]) => [name, this.evaluator.need(value, frame)]));
    const values = positional.map((value) => this.evaluator.need(value, frame));
    const nested = (passed: Value[]): void => {
      const own = new Map<string, Maybe>(variables.map((name, index) => [name, passed[index]]));
      this.body(body ?? [], { parent: frame, isMacro: false, variables: own, loops: NO_LOOPS, nested: null });
    };
    this.run(callable, values, given, nested, at);
  }

  private callFunction(callable: Callable, args: readonly Value[], at: Position): Maybe {
    let result: Maybe;
    this.env.capture(() => {
      result = this.run(callable, args, new Map(), () => {}, at);
    });
    return result;
  }

  private run(
    { node }: Callable,
    positional: readonly Value[],
    named: ReadonlyMap<string, Value>,
    nested: (values: Value[]) => void,
    at: Position,
  ): Maybe {
    if (this.depth >= MAX_DEPTH) throw typeError('Macros and functions call each other too deeply.', at);
    const variables = new Map<string, Maybe>();
    const frame: Frame = { parent: null, isMacro: true, variables, loops: NO_LOOPS, nested };
    for (const [index, parameter] of node.parameters.entries()) {
      const value = positional[index] ?? named.get(parameter.name);
      if (value !== undefined) variables.set(parameter.name, value);
    }
    for (const { fallback, name } of node.parameters) {
      if (variables.has(name)) continue;
      if (fallback === null) {
        throw new TemplateError('MISSING', `${node.name} needs the parameter ${name}, which has no default.`, at);
      }
      variables.set(name, this.evaluator.need(fallback, frame));
    }
    this.takeRest(node, positional, named, variables, at);
    this.depth += 1;
    // The loops of the caller are not those of the macro.
    const outer = this.loops.splice(0);
    try {
      this.body(node.body, frame);
      return undefined;
    } catch (error) {
      if (error instanceof Return) return error.value;
      throw error;
    } finally {
      this.loops.splice(0, this.loops.length, ...outer);
      this.depth -= 1;
    }
  }

  private takeRest(
    node: Callable['node'],
    positional: readonly Value[],
    named: ReadonlyMap<string, Value>,
    variables: Map<string, Maybe>,
    at: Position,
  ): void {
    const known = new Set(node.parameters.map(({ name }) => name));
    const odd = [...named].filter(([name]) => !known.has(name));
    const over = positional.slice(node.parameters.length);
    if (node.rest !== null) variables.set(node.rest, odd.length > 0 ? new Map(odd) : over);
    else if (odd.length + over.length > 0) throw typeError(`${node.name} was given more than its parameters.`, at);
  }

  private nested(node: Node & { k: 'nested' }, frame: Frame | null): void {
    let macro = frame;
    while (macro !== null && macro.nested === null) macro = macro.parent;
    if (macro?.nested == null) throw unsupported('<#nested> outside of a macro', node.at);
    macro.nested(node.args.map((arg) => this.evaluator.need(arg, frame)));
  }

  private switch(node: Node & { k: 'switch' }, frame: Frame | null): void {
    const subject = this.evaluator.need(node.subject, frame);
    const matches = node.cases.findIndex(({ tests }) =>
      tests?.some((test) => this.evaluator.operate('==', subject, this.evaluator.need(test, frame), test.at)),
    );
    const start = matches >= 0 ? matches : node.cases.findIndex(({ tests }) => tests === null);
    if (start < 0) return;
    try {
      // As in Java, a case without <#break> runs on into the next one.
      for (const { body } of node.cases.slice(start)) this.body(body, frame);
    } catch (error) {
      if (!(error instanceof Break)) throw error;
    }
  }

  private attempt(node: Node & { k: 'attempt' }, frame: Frame | null): void {
    let printed: string;
    try {
      printed = guarded(node.at, () => this.env.capture(() => this.body(node.body, frame)));
    } catch (error) {
      if (!(error instanceof TemplateError) || error.fault === 'UNSUPPORTED' || error.fault === 'STOP') throw error;
      this.body(node.recover, frame);
      return;
    }
    this.env.write(printed);
  }
}
