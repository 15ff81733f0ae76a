// All vector functions.
#pragma once
#include "simd/activation.h"
#include "simd/arith.h"
#include "simd/erf.h"
#include "simd/exp_log.h"
#include "simd/power.h"
#include "simd/special.h"
#include "simd/trig.h"
