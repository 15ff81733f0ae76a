// Element types that have a name and no arithmetic: files hold them, and every op refuses them. They are values of their own
// because a name that is missing is undefined, and a dtype that is undefined means the default.
import { DType, NO_CODE } from './dtype.js';

function unsigned(name: string, itemsize: number): DType {
  return new DType(name, NO_CODE, itemsize, false, false, false);
}
function signed(name: string, itemsize: number): DType {
  return new DType(name, NO_CODE, itemsize, false, false, true);
}
function small(name: string): DType {
  return new DType(name, NO_CODE, 1, true, false, true);
}

/** Integers from 0 to 65,535: in files only, no op computes with them. */
export const uint16 = unsigned('uint16', 2);
/** Integers from 0 to 2^32 - 1: in files only, no op computes with them. */
export const uint32 = unsigned('uint32', 4);
/** Integers from 0 to 2^64 - 1: in files only, no op computes with them. */
export const uint64 = unsigned('uint64', 8);
/** Pairs of float16: in files only, no op computes with them. */
export const complex32 = new DType('complex32', NO_CODE, 4, false, true, true);
/** Floating point of 8 bits, 4 of them the exponent, without infinities: in files only, no op computes with them. */
export const float8_e4m3fn = small('float8_e4m3fn');
/** Floating point of 8 bits, 5 of them the exponent: in files only, no op computes with them. */
export const float8_e5m2 = small('float8_e5m2');
/** As `float8_e4m3fn`, without a negative zero: in files only, no op computes with them. */
export const float8_e4m3fnuz = small('float8_e4m3fnuz');
/** As `float8_e5m2`, without infinities and a negative zero: in files only, no op computes with them. */
export const float8_e5m2fnuz = small('float8_e5m2fnuz');
/** Powers of two in 8 bits: in files only, no op computes with them. */
export const float8_e8m0fnu = small('float8_e8m0fnu');
/** Two numbers of 4 bits: in files only, no op computes with them. */
export const float4_e2m1fn_x2 = small('float4_e2m1fn_x2');
/** Quantized numbers of 8 bits, unsigned: in files only, where they have a scale and a zero point. */
export const quint8 = signed('quint8', 1);
/** Quantized numbers of 8 bits: in files only, where they have a scale and a zero point. */
export const qint8 = signed('qint8', 1);
/** Quantized numbers of 32 bits: in files only, where they have a scale and a zero point. */
export const qint32 = signed('qint32', 4);
/** Quantized numbers of 4 bits, two to a byte: in files only, where they have a scale and a zero point. */
export const quint4x2 = signed('quint4x2', 1);
/** Quantized numbers of 2 bits, four to a byte: in files only, where they have a scale and a zero point. */
export const quint2x4 = signed('quint2x4', 1);
/** Bytes without arithmetic. */
export const bits8 = unsigned('bits8', 1);
/** Words of two bytes without arithmetic. */
export const bits16 = unsigned('bits16', 2);
/** Eight bits to a byte, without arithmetic. */
export const bits1x8 = unsigned('bits1x8', 1);
/** Four pairs of bits to a byte, without arithmetic. */
export const bits2x4 = unsigned('bits2x4', 1);
/** Two times four bits to a byte, without arithmetic. */
export const bits4x2 = unsigned('bits4x2', 1);
/** Unsigned integers of 1 bit, a byte each: a name, no op computes with them. */
export const uint1 = unsigned('uint1', 1);
/** Integers of 1 bit, a byte each: a name, no op computes with them. */
export const int1 = signed('int1', 1);
/** Unsigned integers of 2 bits, a byte each: a name, no op computes with them. */
export const uint2 = unsigned('uint2', 1);
/** Integers of 2 bits, a byte each: a name, no op computes with them. */
export const int2 = signed('int2', 1);
/** Unsigned integers of 3 bits, a byte each: a name, no op computes with them. */
export const uint3 = unsigned('uint3', 1);
/** Integers of 3 bits, a byte each: a name, no op computes with them. */
export const int3 = signed('int3', 1);
/** Unsigned integers of 4 bits, a byte each: a name, no op computes with them. */
export const uint4 = unsigned('uint4', 1);
/** Integers of 4 bits, a byte each: a name, no op computes with them. */
export const int4 = signed('int4', 1);
/** Unsigned integers of 5 bits, a byte each: a name, no op computes with them. */
export const uint5 = unsigned('uint5', 1);
/** Integers of 5 bits, a byte each: a name, no op computes with them. */
export const int5 = signed('int5', 1);
/** Unsigned integers of 6 bits, a byte each: a name, no op computes with them. */
export const uint6 = unsigned('uint6', 1);
/** Integers of 6 bits, a byte each: a name, no op computes with them. */
export const int6 = signed('int6', 1);
/** Unsigned integers of 7 bits, a byte each: a name, no op computes with them. */
export const uint7 = unsigned('uint7', 1);
/** Integers of 7 bits, a byte each: a name, no op computes with them. */
export const int7 = signed('int7', 1);

/** All of them, as files may name them. */
export const foreignTypes: readonly DType[] = [
  uint16,
  uint32,
  uint64,
  complex32,
  float8_e4m3fn,
  float8_e5m2,
  float8_e4m3fnuz,
  float8_e5m2fnuz,
  float8_e8m0fnu,
  float4_e2m1fn_x2,
  quint8,
  qint8,
  qint32,
  quint4x2,
  quint2x4,
  bits8,
  bits16,
  bits1x8,
  bits2x4,
  bits4x2,
  uint1,
  int1,
  uint2,
  int2,
  uint3,
  int3,
  uint4,
  int4,
  uint5,
  int5,
  uint6,
  int6,
  uint7,
  int7,
];
