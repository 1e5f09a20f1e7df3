/* Four floats at once. Only IEEE operations whose result is the same on all machines, each in the
   order in which it is written: no fused multiply-add, no relaxed minimum. */

#pragma once

#include <wasm_simd128.h>

#define splat wasm_f32x4_splat
#define add wasm_f32x4_add
#define sub wasm_f32x4_sub
#define mul wasm_f32x4_mul
#define load wasm_v128_load
#define store wasm_v128_store

static inline float sum_of_lanes(v128_t x) {
  float even = wasm_f32x4_extract_lane(x, 0) + wasm_f32x4_extract_lane(x, 2);
  float odd = wasm_f32x4_extract_lane(x, 1) + wasm_f32x4_extract_lane(x, 3);
  return even + odd;
}

static inline float max_of_lanes(v128_t x) {
  x = wasm_f32x4_max(x, wasm_i32x4_shuffle(x, x, 2, 3, 0, 1));
  x = wasm_f32x4_max(x, wasm_i32x4_shuffle(x, x, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(x, 0);
}

static inline v128_t clamp(v128_t x, float low, float high) {
  return wasm_f32x4_max(wasm_f32x4_min(x, splat(high)), splat(low));
}

/* e to the x, x <= 88; 2 units in the last place. Below -87 it stays at the smallest float.
   x = n ln 2 + r with |r| <= ln 2 / 2; e to the r by its series (Cephes, expf). */
static inline v128_t exponential(v128_t x) {
  x = clamp(x, -87.0f, 88.0f);
  v128_t n = wasm_f32x4_nearest(mul(x, splat(1.44269504088896341f)));
  v128_t r = sub(x, mul(n, splat(0.693359375f)));
  r = sub(r, mul(n, splat(-2.12194440e-4f)));
  v128_t y = splat(1.9875691500e-4f);
  y = add(mul(y, r), splat(1.3981999507e-3f));
  y = add(mul(y, r), splat(8.3334519073e-3f));
  y = add(mul(y, r), splat(4.1665795894e-2f));
  y = add(mul(y, r), splat(1.6666665459e-1f));
  y = add(mul(y, r), splat(5.0000001201e-1f));
  y = add(add(mul(mul(y, r), r), r), splat(1.0f));
  v128_t exponent = wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(n), 23);
  return wasm_i32x4_add(y, exponent);
}

/* The error function; 2e-7. A ratio of polynomials in x squared (Eigen, generic_fast_erf_float). */
static inline v128_t error_function(v128_t x) {
  x = clamp(x, -4.0f, 4.0f);
  v128_t s = mul(x, x);
  v128_t p = splat(-2.72614225801306e-10f);
  p = add(mul(p, s), splat(2.77068142495902e-08f));
  p = add(mul(p, s), splat(-2.10102402082508e-06f));
  p = add(mul(p, s), splat(-5.69250639462346e-05f));
  p = add(mul(p, s), splat(-7.34990630326855e-04f));
  p = add(mul(p, s), splat(-2.95459980854025e-03f));
  p = add(mul(p, s), splat(-1.60960333262415e-02f));
  v128_t q = splat(-1.45660718464996e-05f);
  q = add(mul(q, s), splat(-2.13374055278905e-04f));
  q = add(mul(q, s), splat(-1.68282697438203e-03f));
  q = add(mul(q, s), splat(-7.37332916720468e-03f));
  q = add(mul(q, s), splat(-1.42647390514189e-02f));
  return wasm_f32x4_div(mul(x, p), q);
}

/* x (1 + erf(x / sqrt 2)) / 2 */
static inline v128_t gelu(v128_t x) {
  v128_t half = mul(x, splat(0.5f));
  return add(half, mul(half, error_function(mul(x, splat(0.70710678118654752f)))));
}

/* 1 - 2 / (e to the 2x + 1) */
static inline v128_t hyperbolic_tangent(v128_t x) {
  v128_t e = exponential(mul(clamp(x, -15.0f, 15.0f), splat(2.0f)));
  return sub(splat(1.0f), wasm_f32x4_div(splat(2.0f), add(e, splat(1.0f))));
}
