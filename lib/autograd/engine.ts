// Backward: walks the graph from its roots, youngest operation first, and hands each node the sum of the gradients that
// arrived. Nothing here is recursive, so the depth of a graph is no limit.
import { RuntimeError } from '../core/errors.js';
import { beginScope, endScope, keep, release, resumeScope, suspendScope } from '../tensor/memory.js';
import { SCOPED, type Tensor } from '../tensor/tensor.js';
import { accumulate } from './accumulate.js';
import { anomalyEnabled, checkForNan, reportAnomaly } from './anomaly.js';
import { arithmetic } from './arithmetic.js';
import { drop, dropBuffer, hold, pop, push, sum, validate } from './gradients.js';
import { metaOf } from './meta.js';
import { gradMode, quiet, setGradMode, setQuiet } from './mode.js';
import { AccumulateGrad, type Gradients, type Needs, type Node } from './node.js';
import { runPostAccumulateHooks, runPostHooks, runPreHooks, runTensorHooks } from './run-hooks.js';
import { releaseSaved, unpack } from './saved.js';

/** One backward pass. */
interface Task {
  readonly id: number;
  readonly createGraph: boolean;
  readonly keepGraph: boolean;
  /** The temporaries of the node that runs; null when gradients are recorded, and so may be seen by anyone. */
  readonly made: Tensor[] | null;
  /** If not null, only nodes that lead to these run. */
  readonly captures: ReadonlyMap<Node, readonly Capture[]> | null;
  /** Nodes whose gradients are complete: a heap, the youngest first. */
  readonly ready: Node[];
  /** Run when the pass is over. */
  readonly callbacks: (() => void)[];
}

/** A gradient that the caller wants: of result `nr` of the node, to be put at `at`. */
interface Capture {
  readonly nr: number;
  readonly at: number;
}

/** What a backward pass is for, if not for all leaves. */
export interface Target {
  node: Node;
  nr: number;
}

/** Scratch of a node that belongs to an outer pass, put aside while an inner one visits it. */
interface Aside {
  node: Node;
  task: number;
  pending: number;
  grad: Tensor | null;
  grads: (Tensor | null)[] | null;
  needed: boolean;
}

let lastTask = 0;
/** The passes that are running, outermost first. */
const running: Task[] = [];

/** @internal Whether the node will run in the innermost pass. @throws RuntimeError outside of backward. */
export function willRun(node: Node): boolean {
  const task = running.at(-1);
  if (task === undefined) throw new RuntimeError('_get_current_graph_task_id: no backward pass is running');
  return node.task === task.id && (task.captures === null || node.needed);
}

/** @internal The number of the innermost pass; -1 outside. */
export function currentTask(): number {
  return running.at(-1)?.id ?? -1;
}

/** @internal Whether every pass that runs is one for all leaves. */
export function forAllLeaves(): boolean {
  return running.every((task) => task.captures === null);
}

/**
 * Calls a function when the backward pass that runs now is over: from hooks and backward functions, for work on complete
 * gradients.
 * @param fn takes nothing; functions are called in the order in which they were queued
 * @throws RuntimeError outside of backward
 */
export function queueCallback(fn: () => void): void {
  const task = running.at(-1);
  if (task === undefined) throw new RuntimeError('Final callbacks can only be installed during backward pass.');
  task.callbacks.push(fn);
}

/** What `execute` is asked to do. */
export interface Request {
  /** Nodes to start from, which of their results, and the gradients of these (null: ones in the shape of the output). */
  roots: readonly Node[];
  nrs: readonly number[];
  gradients: readonly (Tensor | null)[];
  outputs: readonly Tensor[];
  keepGraph: boolean;
  createGraph: boolean;
  /** The tensors to differentiate by; null for all leaves. */
  targets: readonly Target[] | null;
  /** Let targets add to `.grad` as leaves do, and return nothing. */
  accumulate: boolean;
}

/**
 * @internal Runs a backward pass.
 * @returns the gradients of the targets (null where none arrived); empty if there are none or they accumulate.
 */
export function execute(request: Request): (Tensor | null)[] {
  const { roots, targets, createGraph } = request;
  const outerMode = gradMode;
  const outerQuiet = quiet;
  const outerScope = createGraph ? suspendScope() : beginScope();
  const captured = new Array<Tensor | null>(request.accumulate ? 0 : (targets?.length ?? 0)).fill(null);
  const aside: Aside[] = [];
  const visited: Node[] = [];
  let task: Task | null = null;
  let failed = true;
  setGradMode(createGraph);
  setQuiet(!createGraph);
  try {
    const captures = targets === null ? null : captureMap(targets, request.accumulate);
    task = {
      id: ++lastTask,
      createGraph,
      keepGraph: request.keepGraph,
      made: createGraph ? null : scopeNow(),
      captures,
      ready: [],
      callbacks: [],
    };
    countDependencies(task.id, roots, visited, aside);
    if (captures !== null) markNeeded(task, visited, captures, request.accumulate);
    running.push(task);
    for (let i = 0; i < roots.length; i++) {
      const given = request.gradients[i] ?? arithmetic.onesLike(request.outputs[i]!);
      deliver(task, roots[i]!, request.nrs[i]!, given, null, i);
    }
    if (task.made !== null) sweepScope(task.made);
    loop(task, captured);
    failed = false;
  } finally {
    if (task !== null && running.at(-1) === task) running.pop();
    if (failed) dropBuffers(task?.id ?? 0, visited);
    for (let i = 0; i < aside.length; i++) putBack(aside[i]!);
    setQuiet(outerQuiet);
    setGradMode(outerMode);
    for (const g of captured) if (g) keep(g, outerScope);
    if (createGraph) resumeScope(outerScope);
    else endScope(outerScope);
  }
  for (const callback of task.callbacks) callback();
  return captured;
}

/** The list that beginScope opened. */
function scopeNow(): Tensor[] {
  const made = suspendScope()!;
  resumeScope(made);
  return made;
}

/** Visits everything below the roots and counts for each node the gradients that it must wait for. */
function countDependencies(id: number, roots: readonly Node[], visited: Node[], aside: Aside[]): void {
  for (let i = 0; i < roots.length; i++) {
    const root = roots[i]!;
    if (root.task !== id) enter(root, id, visited, aside);
    root.pending++;
  }
  for (let at = 0; at < visited.length; at++) {
    const edges = visited[at]!.edges;
    for (let i = 0; i < edges.length; i++) {
      const next = edges[i]!;
      if (next === null) continue;
      if (next.task !== id) enter(next, id, visited, aside);
      next.pending++;
    }
  }
}

function enter(node: Node, id: number, visited: Node[], aside: Aside[]): void {
  if (running.length !== 0 && running.some((task) => task.id === node.task)) {
    const { task, pending, grad, grads, needed } = node;
    aside.push({ node, task, pending, grad, grads, needed });
  }
  node.task = id;
  node.pending = 0;
  node.grad = null;
  node.grads = null;
  visited.push(node);
}

function putBack(a: Aside): void {
  a.node.task = a.task;
  a.node.pending = a.pending;
  a.node.grad = a.grad;
  a.node.grads = a.grads;
  a.node.needed = a.needed;
}

function captureMap(targets: readonly Target[], accumulating: boolean): Map<Node, Capture[]> {
  const map = new Map<Node, Capture[]>();
  targets.forEach(({ node, nr }, at) => {
    const list = map.get(node) ?? [];
    if (!accumulating) list.push({ nr, at });
    map.set(node, list);
  });
  return map;
}

/** Marks the nodes that lead to a target. An edge leads to an older node, or to an accumulator. */
function markNeeded(
  task: Task,
  visited: readonly Node[],
  captures: ReadonlyMap<Node, unknown>,
  accumulating: boolean,
): void {
  const age = (node: Node): number => (node instanceof AccumulateGrad ? -1 : node.seq);
  const oldestFirst = [...visited].sort((a, b) => age(a) - age(b));
  const leads = (node: Node | null): boolean =>
    node !== null && node.task === task.id && (node.needed || captures.has(node));
  for (const node of oldestFirst) node.needed = (accumulating && captures.has(node)) || node.edges.some(leads);
}

function loop(task: Task, captured: (Tensor | null)[]): void {
  const { ready, made } = task;
  while (ready.length > 0) {
    const node = pop(ready);
    if (task.captures !== null && !runsFor(task, node, captured)) continue;
    if (node instanceof AccumulateGrad) finishLeaf(task, node);
    else runNode(task, node);
    if (made !== null) sweepScope(made);
  }
}

/** Frees what the last node made and did not hand on. */
function sweepScope(made: Tensor[]): void {
  for (let t = made.pop(); t !== undefined; t = made.pop()) if (t._own === SCOPED) release(t);
}

/** Takes the gradients that the caller wants from the node; whether it also has to run. */
function runsFor(task: Task, node: Node, captured: (Tensor | null)[]): boolean {
  const captures = task.captures!.get(node);
  if (captures !== undefined && captures.length > 0) {
    // A node that runs as well will call its hooks then.
    if (!node.needed && node.extra !== null) runTensorHooks(task, node, node.extra);
    for (const { nr, at } of captures) {
      const g = node.many ? (node.grads?.[nr] ?? null) : node.grad;
      if (g !== null) hold(g);
      captured[at] = g;
    }
  }
  if (node.needed) return true;
  dropBuffer(node);
  return false;
}

function finishLeaf(task: Task, node: AccumulateGrad): void {
  const extra = node.extra;
  if (extra !== null) {
    runTensorHooks(task, node, extra);
    runPreHooks(task, node, extra);
  }
  const g = node.grad;
  node.grad = null;
  if (g === null) return;
  const taken = accumulate(node, g, task.createGraph);
  if (extra !== null) {
    if (extra.postAccumulate.size > 0) runPostAccumulateHooks(task, node, extra);
    if (extra.post.size > 0) {
      metaOf(node.variable).gradSeen = true;
      runPostHooks(task, extra, [], [g]);
    }
  }
  if (!taken) drop(g);
}

function runNode(task: Task, node: Node): void {
  const extra = node.extra;
  if (extra !== null) {
    runTensorHooks(task, node, extra);
    runPreHooks(task, node, extra);
  }
  const grad = node.grad;
  const grads = node.grads;
  const any = grad !== null || (grads !== null && grads.some((g) => g !== null));
  let results: Gradients | null = null;
  if (any || (extra !== null && extra.runsOnNull)) {
    results = callBackward(task, node, grad, grads);
    // What was recorded just now may have saved them again, and what was handed on goes on.
    const { temporaries } = node;
    if (temporaries !== null && (task.createGraph || results.some((g) => g !== null && temporaries.includes(g)))) {
      node.temporaries = null;
    }
  }
  if (!task.keepGraph) releaseSaved(node);
  if (extra !== null && extra.post.size > 0) {
    results = runPostHooks(task, extra, results ?? node.edges.map(() => null), grads ?? [grad]);
  }
  const edges = node.edges;
  for (let i = 0; i < edges.length; i++) {
    const next = edges[i]!;
    if (next !== null) deliver(task, next, node.nrs === null ? 0 : node.nrs[i]!, results?.[i] ?? null, node, i);
  }
  dropBuffer(node);
}

function callBackward(task: Task, node: Node, grad: Tensor | null, grads: (Tensor | null)[] | null): Gradients {
  const needs = neededEdges(task, node);
  const userCode = node.extra !== null && node.extra.userCode;
  if (!userCode && !anomalyEnabled) {
    const saved = unpack(node);
    return node.fn!((node.many ? grads : grad) as never, saved as never, needs);
  }
  const given = node.many ? (grads ?? node.extra!.shapes.map(() => null)) : grad;
  try {
    // A custom Function asks for what it saved itself, if it wants it at all.
    const saved = userCode ? NONE : unpack(node);
    const run = (): Gradients => node.fn!(given as never, saved as never, needs);
    const results = userCode ? asUser(task, [grad, ...(grads ?? [])], run) : run();
    if (anomalyEnabled) checkForNan(node, results);
    return results;
  } catch (error) {
    if (anomalyEnabled) reportAnomaly(node);
    throw error;
  }
}

const NONE: readonly null[] = [];

/** Which inputs of the node want a gradient: those that lead to a leaf, or to a target if there are any. */
function neededEdges(task: Task, node: Node): Needs {
  const { captures } = task;
  const edges = node.edges;
  const needs = new Array<boolean>(edges.length);
  for (let i = 0; i < edges.length; i++) {
    const next = edges[i]!;
    needs[i] = next !== null && (captures === null || next.needed || captures.has(next));
  }
  return needs;
}

/**
 * @internal Runs user code during a pass: the tensors it is given, and those it makes, belong to the garbage collector.
 * What it returns stays tracked too.
 */
export function asUser<T>(task: { readonly made: Tensor[] | null }, shown: readonly (Tensor | null)[], fn: () => T): T {
  for (const t of shown) if (t !== null) keep(t);
  if (task.made === null) return fn();
  const scope = suspendScope();
  setQuiet(false);
  try {
    return fn();
  } finally {
    setQuiet(true);
    resumeScope(scope);
  }
}

function dropBuffers(id: number, visited: readonly Node[]): void {
  for (const node of visited) if (node.task === id) dropBuffer(node);
}

/** Adds a gradient (null: none came) to what node `next` has for its result `nr`; the last one makes it ready. */
function deliver(
  task: Task,
  next: Node,
  nr: number,
  g: Tensor | null | undefined,
  from: Node | null,
  index: number,
): void {
  if (task.captures !== null && !next.needed && !task.captures.has(next)) return;
  if (g !== null && g !== undefined) {
    const valid = validate(g, next, nr, from, index);
    if (!next.many) next.grad = next.grad === null ? (hold(valid), valid) : sum(task.createGraph, next.grad, valid);
    else {
      next.grads ??= new Array<Tensor | null>(next.extra!.shapes.length).fill(null);
      const old = next.grads[nr]!;
      next.grads[nr] = old === null ? (hold(valid), valid) : sum(task.createGraph, old, valid);
    }
  }
  if (--next.pending === 0) push(task.ready, next);
}
