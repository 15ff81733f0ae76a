// Pickles as lists of instructions, and what a fuzzer does to them. Format: CPython's Lib/pickletools.py.

/** How the argument of an opcode is laid out: a number of bytes, a count before it, or a number of lines. */
const ARGUMENTS = new Map([
  ...[...'KqhU'].map((c) => [c, c === 'U' ? 'count1' : 1]),
  ['\x80', 1], ['\x8a', 'count1'], ['\x8c', 'count1'], ['C', 'count1'], ['\x82', 1],
  ['M', 2], ['\x83', 2],
  ['J', 4], ['r', 4], ['j', 4], ['\x84', 4],
  ['\x8b', 'count4'], ['X', 'count4'], ['T', 'count4'], ['B', 'count4'],
  ['G', 8], ['\x95', 8],
  ['\x8d', 'count8'], ['\x8e', 'count8'], ['\x96', 'count8'],
  ...[...'IFLSVPgp'].map((c) => [c, 'line']),
  ['c', 'lines'], ['i', 'lines'],
]);

/** The instructions of a pickle that starts at `start`, up to STOP, and where it ends; null for what is none. */
export function disassemble(bytes, start = 0) {
  const code = [];
  for (let at = start; at < bytes.length; ) {
    const op = String.fromCharCode(bytes[at]);
    const kind = ARGUMENTS.get(op);
    let end = at + 1;
    if (typeof kind === 'number') end += kind;
    else if (kind === 'count1') end += 1 + (bytes[end] ?? 0);
    else if (kind === 'count4') end += end + 4 <= bytes.length ? 4 + bytes.readUInt32LE(end) : 4;
    else if (kind === 'count8') end += end + 8 <= bytes.length ? 8 + Number(bytes.readBigUInt64LE(end)) : 8;
    else if (kind) for (let n = kind === 'line' ? 1 : 2; n > 0; n--) end = bytes.indexOf(10, end) + 1 || bytes.length + 1;
    if (end > bytes.length) return null;
    code.push(bytes.subarray(at, end));
    at = end;
    if (op === '.') return { code, end };
  }
  return null;
}

const text = (s) => Buffer.from(s, 'latin1');
const string = (s) => Buffer.concat([text('X'), Buffer.from(Uint32Array.of(s.length).buffer), text(s)]);
const int = (n) => Buffer.concat([text('J'), Buffer.from(Int32Array.of(n).buffer)]);

/** Names that mean something to a reader, and some that must not. */
const GLOBALS = [
  'torch._utils\n_rebuild_tensor_v2', 'torch._utils\n_rebuild_tensor', 'torch._utils\n_rebuild_tensor_v3', 'torch._utils\n_rebuild_parameter',
  'torch._utils\n_rebuild_qtensor', 'torch._utils\n_rebuild_sparse_tensor', 'torch._utils\n_rebuild_meta_tensor_no_storage',
  'torch._utils\n_rebuild_parameter_with_state', 'torch._utils\n_rebuild_device_tensor_from_numpy', 'torch._utils\n_rebuild_wrapper_subclass',
  'torch._tensor\n_rebuild_from_type_v2', 'torch.serialization\n_get_layout', 'torch\nSize', 'torch\ndevice', 'torch\nTensor', 'torch\nFloatStorage',
  'torch\nLongStorage', 'torch\nBoolStorage', 'torch\nQInt8Storage', 'torch.storage\nUntypedStorage', 'torch\nfloat32', 'torch\nbfloat16', 'torch\nuint16',
  'torch\nper_tensor_affine', 'torch\nper_channel_affine', 'torch\nstrided', 'torch\nsparse_coo', 'torch.nn.parameter\nParameter', 'torch.nn.parameter\nBuffer',
  'collections\nOrderedDict', 'collections\nCounter', 'collections\ndefaultdict', 'collections\ndeque', 'builtins\nset', 'builtins\nfrozenset',
  'builtins\nbytearray', 'builtins\ncomplex', 'builtins\nslice', 'builtins\nrange', 'builtins\nint', 'builtins\nlist', 'builtins\ngetattr', 'builtins\neval', '__builtin__\nset', '__builtin__\nlong',
  '_codecs\nencode', 'copyreg\n_reconstructor', 'numpy.core.multiarray\n_reconstruct', 'numpy.core.multiarray\nscalar', 'numpy\ndtype',
  'numpy\nndarray', 'numpy.core.numeric\n_frombuffer', 'os\nsystem', 'posix\nsystem', 'torch.nn.modules.linear\nLinear',
  'torch.nn.modules.container\nSequential', 'torch.nn.modules.activation\nReLU', '__proto__\nconstructor', 'torch\n__proto__', '\n', 'constructor\nprototype',
].map((name) => text(`c${name}\n`));

const NUMBERS = [0, 1, 2, 3, -1, -2, 7, 8, 64, 65, 255, 256, 4096, 65536, 2 ** 24, 2 ** 31 - 1, -(2 ** 31)];
const STRINGS = ['', 'a', 'storage', 'cpu', '0', '1', 'weight', '__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', '__setstate__', 'latin1', 'f4', 'O', 'V8'];
const PLAIN = [...'N()]}0012t\x85\x86\x87asuebR\x81Q\x88\x89\x8f\x90\x91\x93\x94ld.'].map(text);

function anything(random) {
  switch (random.below(8)) {
    case 0:
      return random.pick(GLOBALS);
    case 1:
      return int(random.pick(NUMBERS));
    case 2:
      return string(random.pick(STRINGS));
    case 3:
      return text(random.pick(['h', 'q']) + String.fromCharCode(random.below(40)));
    case 4: {
      const huge = Buffer.alloc(10, random.pick([0xff, 0x7f, 0x01, 0x80]));
      huge[0] = 0x8a;
      huge[1] = 8;
      return huge;
    }
    case 5:
      return Buffer.concat([text('G'), Buffer.from(random.pick(['7ff0000000000000', '7ff8000000000000', '4340000000000000', '8000000000000000']), 'hex')]);
    default:
      return random.pick(PLAIN);
  }
}

/** Other numbers in an instruction's argument; its size stays. */
function disturb(random, instruction) {
  const changed = Buffer.from(instruction);
  if (changed.length > 1) changed[1 + random.below(changed.length - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  return changed;
}

/**
 * A changed pickle.
 * @param code its instructions.
 * @param others instructions of other pickles, to take from.
 */
export function mutateCode(random, code, others) {
  const out = [...code];
  const part = (list) => {
    const from = random.below(list.length);
    return list.slice(from, from + 1 + random.below(Math.min(12, list.length - from)));
  };
  for (let n = 1 + random.below(4); n > 0 && out.length > 0; n--) {
    const at = random.below(out.length);
    switch (random.below(9)) {
      case 0:
        out.splice(at, 1 + random.below(3));
        break;
      case 1:
        out.splice(at, 0, ...part(out));
        break;
      case 2:
        out.splice(at, 0, anything(random));
        break;
      case 3:
        out[at] = anything(random);
        break;
      case 4:
        out[at] = disturb(random, out[at]);
        break;
      case 5:
        out.splice(at, 0, ...part(random.pick(others)));
        break;
      case 6: {
        const other = random.below(out.length);
        [out[at], out[other]] = [out[other], out[at]];
        break;
      }
      case 7: {
        // Repetition, which multiplies work where a reader is careless.
        const repeated = part(out);
        const times = random.pick([8, 64, 512, 4096]);
        for (let i = 0; i < times && out.length < 20_000; i++) out.splice(at, 0, ...repeated);
        break;
      }
      default:
        out.splice(at, random.below(4), ...Array.from({ length: 1 + random.below(5) }, () => anything(random)));
    }
  }
  return Buffer.concat(out);
}
